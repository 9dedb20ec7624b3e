import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const QUIET = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Where packages come from on this machine, and whom it trusts; everything else a surrounding npm keeps to itself. */
const KEPT = /^(npm_config_(globalconfig|registry|cafile|cache)|NODE_EXTRA_CA_CERTS)$/i;

/** A shell with a given Node first on the path, and without settings that a surrounding npm has passed on. */
function shell(node: string) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => KEPT.test(name) || !/^(npm_|NODEFLOW_|NODE_)/i.test(name)),
  );
  env['PATH'] = `${dirname(node)}${delimiter}${process.env['PATH']}`;
  return async (cwd: string, command: string, ...args: readonly string[]): Promise<string> => {
    const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 };
    try {
      return (await promisify(execFile)(command, args, options)).stdout;
    } catch (thrown) {
      const { stdout, stderr } = thrown as { readonly stdout: string; readonly stderr: string };
      throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
    }
  };
}

/** Packs the tree as `npm publish` would, and answers the path of the archive. */
export async function pack(folder: string): Promise<string> {
  const out = await shell(process.execPath)(
    ROOT,
    'npm',
    'pack',
    '--json',
    '--loglevel=error',
    '--pack-destination',
    folder,
  );
  const [{ filename, files }] = JSON.parse(out) as [{ filename: string; files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const wanted of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/testing.js',
    'dist/cli/main.js',
    'LICENSE',
    'README.md',
  ]) {
    assert.ok(paths.includes(wanted), `the package holds ${wanted}`);
  }
  const unwanted = paths.filter((path) => /\.test\.|\.conformance\.|node_modules|\.nodeflow|(?<!\.d)\.ts$/.test(path));
  assert.deepEqual(unwanted, [], 'the package holds nothing for tests and no sources');
  return join(folder, filename);
}

const APPLICATION = `import { generator, int64, json, string, topic, topology as define } from '@nodeflow/engine';

interface Order { readonly who: string; readonly at: number }

const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 2 });
export const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });
export const topology = define('shop');

topology
  .read(generator<Order>({ count: 1000, make: (n) => ({ who: 'k' + (n % 4), at: n }) }), {
    name: 'made', key: (order) => order.who, keySerde: string(), value: json<Order>(), time: (order) => order.at,
  })
  .to(orders);
topology.stream(orders).groupByKey().count({ store: 'n' }).toStream().to(counts);
`;

/** Lines that must not compile: types that were lost would let them pass. */
const MISTAKES = `import { counts } from './application.ts';
import { TopologyDriver } from '@nodeflow/engine/testing';
import { json, string, topic, topology as define } from '@nodeflow/engine';

const driver = await TopologyDriver.open(define('x'));
// @ts-expect-error: the key of counts is a string
driver.input(counts).send(5, 1);
// @ts-expect-error: the value has no such field
define('y').stream(topic('t', { key: string(), value: json<{ a: number }>(), partitions: 1 })).filter((value) => value.b > 1);
`;

/** Installs the archive in an empty folder with a given Node, and uses it as a newcomer would. */
export async function usePackage(archive: string, node: string, folder: string): Promise<void> {
  const run = shell(node);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  await run(folder, 'npm', 'install', ...QUIET, archive, '@types/node@24');

  writeFileSync(join(folder, 'application.ts'), APPLICATION);
  for (const workers of ['1', '2']) {
    const args = ['run', 'application.ts', '--json', '--data', `data-${workers}`, '--workers', workers];
    const out = await run(folder, join(folder, 'node_modules', '.bin', 'nodeflow'), ...args);
    assert.equal(JSON.parse(out).outcome, 'complete');
  }
  const consume = [
    'nodeflow',
    'consume',
    'counts',
    '--topology',
    'application.ts',
    '--data',
    'data-1',
    '--key',
    'k3',
    '--json',
  ];
  const counts = await run(folder, 'npx', '--no', ...consume);
  assert.equal(JSON.parse(counts.trim().split('\n').at(-1)!).value, 250);

  await checkTypes(folder);

  await run(folder, 'npx', '--no', 'nodeflow', 'init', 'starter');
  const starter = join(folder, 'starter');
  const manifest = JSON.parse(readFileSync(join(starter, 'package.json'), 'utf8'));
  manifest.dependencies['@nodeflow/engine'] = `file:${archive}`;
  writeFileSync(join(starter, 'package.json'), JSON.stringify(manifest));
  await run(starter, 'npm', 'install', ...QUIET);
  await run(starter, 'npm', 'test');
  await run(starter, 'npm', 'start');
  assert.match(await run(starter, 'npm', 'run', '--silent', 'words'), /"key":"to"|to/);
}

async function checkTypes(folder: string): Promise<void> {
  writeFileSync(join(folder, 'mistakes.ts'), MISTAKES);
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['application.ts', 'mistakes.ts'] }),
  );
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  await shell(process.execPath)(folder, process.execPath, tsc, '-p', folder);
}

/** The path of a Node of another version, from its npm package for this platform. */
export function fetchNode(version: string, folder: string): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  execFileSync('npm', ['install', '--no-save', ...QUIET, `${name}@${version}`], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  return join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}
