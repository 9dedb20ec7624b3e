import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { NeighbourName } from './neighbour-loop.ts';

/**
 * Clients of Kafka for Node, which row `pass` is written with as a plain loop. They are installed into a folder of
 * their own, where the one that needs it may be compiled: nothing of them comes into the project.
 */
const FOLDER = join(import.meta.dirname, '..', '..', '.nodeflow', 'neighbours');

const VERSIONS: { readonly [name in NeighbourName]: string } = {
  '@platformatic/kafka': '2.12.1',
  kafkajs: '2.2.4',
  '@confluentinc/kafka-javascript': '1.10.1',
};

export interface Neighbours {
  /** Where they are loaded from. */
  readonly folder: string;
  readonly there: readonly NeighbourName[];
  /** The others, with the reason. */
  readonly leftOut: readonly { readonly name: NeighbourName; readonly reason: string }[];
}

/** Brings those that are missing; the last takes minutes, since it is compiled. */
export function installNeighbours(say: (text: string) => void): Neighbours {
  mkdirSync(FOLDER, { recursive: true });
  const root = join(FOLDER, 'package.json');
  if (!existsSync(root)) writeFileSync(root, '{ "private": true }\n');
  const there: NeighbourName[] = [];
  const leftOut: { name: NeighbourName; reason: string }[] = [];
  for (const name of Object.keys(VERSIONS) as NeighbourName[]) {
    if (!loads(name)) {
      say(`installing ${name} into ${FOLDER}`);
      install(name);
    }
    if (loads(name)) there.push(name);
    else leftOut.push({ name, reason: `npm could not bring or build it: see ${join(FOLDER, 'install.log')}` });
  }
  return { folder: FOLDER, there, leftOut };
}

/** In a process of its own, as it will be used: a binary of another Node does not load. */
function loads(name: NeighbourName): boolean {
  const script = `require('node:module').createRequire(process.argv[1])(${JSON.stringify(name)}); process.exit(0)`;
  return spawnSync(process.execPath, ['-e', script, join(FOLDER, 'package.json')], { stdio: 'ignore' }).status === 0;
}

function install(name: NeighbourName): void {
  // this Node's own npm where there is one, so that what is compiled is compiled for this Node
  const headers = join(dirname(dirname(process.execPath)), 'include', 'node');
  const env = {
    ...process.env,
    // links to the machine's OpenSSL and zlib; the other way would download
    CKJS_LINKING: 'dynamic',
    npm_config_build_from_source: 'true',
    MAKEFLAGS: '-j1',
    ...(existsSync(headers) ? { npm_config_nodedir: dirname(dirname(headers)) } : {}),
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  };
  const scripts = name === '@confluentinc/kafka-javascript' ? [] : ['--ignore-scripts'];
  const words = ['install', '--no-audit', '--no-fund', '--foreground-scripts', ...scripts, `${name}@${VERSIONS[name]}`];
  const { stdout, stderr } = spawnSync('npm', words, { cwd: FOLDER, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  writeFileSync(join(FOLDER, 'install.log'), `${stdout}${stderr}`);
}

/** A module of a neighbour, as a loop loads it. */
export function loadNeighbour<T>(folder: string, name: NeighbourName): T {
  return createRequire(join(folder, 'package.json'))(name) as T;
}
