import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../cli/kafka/machine.ts';
import { systemClock } from '../../core/clock.ts';
import { aloneIn } from '../../core/folder-lock.ts';
import { leaveOut } from './test-run.ts';

const VERSION = '1.10.1';
const PACKAGE = '@confluentinc/kafka-javascript';
/** A slow machine compiles librdkafka for minutes. */
const BUILD_TIMEOUT_MS = 900_000;

/**
 * A module beside which the client library of the driver `confluent` is installed and built, for this Node. It is
 * fetched without its install step, which would download a binary, and compiled, once for all projects of the user:
 * that takes a minute or two. Answers `undefined` where that cannot be done here; the run then says what was left out.
 */
export async function confluentLibrary(): Promise<string | undefined> {
  const cache = cacheFolder(process.env);
  const home = join(cache, `confluent-${VERSION}-node-${process.versions.modules}-${process.platform}-${process.arch}`);
  const beside = join(home, 'beside.js');
  if (existsSync(beside)) return beside;
  const absent = missing();
  if (absent.length > 0) {
    leaveOut(`the client of the driver confluent cannot be compiled without ${absent.join(', ')}`);
    return undefined;
  }
  return aloneIn(`${home}.turn`, 'the client', systemClock, async () => {
    if (existsSync(beside)) return beside;
    const folder = mkdtempSync(join(cache, 'confluent-'));
    try {
      build(folder);
      writeFileSync(join(folder, 'beside.js'), '');
      renameSync(folder, home);
      return beside;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** What the compiler's run would lack. */
function missing(): readonly string[] {
  const has = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  return [
    ...['c++', 'make', 'python3'].filter((program) => !has(program)),
    ...['zlib.h', 'openssl/ssl.h'].filter((header) => !includes(header)),
    ...(existsSync(join(nodeFolder(), 'include', 'node', 'node.h')) ? [] : ["Node's headers"]),
    ...(nodeGyp() === undefined ? ['the node-gyp of npm'] : []),
  ];
}

function includes(header: string): boolean {
  const input = `#include <${header}>\n`;
  return spawnSync('c++', ['-E', '-x', 'c++', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

const nodeFolder = () => dirname(dirname(process.execPath));

/** npm brings it, in a place of its own. */
function nodeGyp(): string | undefined {
  const own = process.env['npm_execpath'];
  const { stdout } = spawnSync('npm', ['root', '-g'], { encoding: 'utf8' });
  const homes = [
    ...(own === undefined ? [] : [dirname(dirname(own))]),
    ...(stdout === null ? [] : [join(stdout.trim(), 'npm')]),
  ];
  return homes
    .map((npm) => join(npm, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
    .find((script) => existsSync(script));
}

function build(folder: string): void {
  const log = (step: string) => process.stderr.write(`nodeflow: ${step} (the first time only)\n`);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  log(`fetching ${PACKAGE} ${VERSION}`);
  const install = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${PACKAGE}@${VERSION}`,
  ];
  run('npm', install, folder, {});
  log('compiling it');
  const home = join(folder, 'node_modules', ...PACKAGE.split('/'));
  // node-gyp's own scripts ask for a `node`: it should be this one.
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const gyp = [nodeGyp()!, 'rebuild', `--nodedir=${nodeFolder()}`];
  run(process.execPath, gyp, home, { PATH: path, CKJS_LINKING: 'dynamic' });
  // Sources and objects are not needed any more.
  for (const name of readdirSync(join(home, 'deps'))) rmSync(join(home, 'deps', name), { recursive: true });
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const options = { cwd, encoding: 'utf8', timeout: BUILD_TIMEOUT_MS, maxBuffer: 1 << 28 } as const;
  // What npm tells those it starts would win over the arguments.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'));
  const all = { ...Object.fromEntries(inherited), ...env };
  const { status, stdout, stderr } = spawnSync(program, [...args], { ...options, env: all });
  if (status === 0) return;
  const end = `${stdout}\n${stderr}`.trimEnd().split('\n').slice(-20).join('\n');
  throw new Error(`${[program, ...args].join(' ')} has failed:\n${end}`);
}
