import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the servers of the peers are. */
const HOME = join(import.meta.dirname, '..', '..', '..', '.nodeflow', 'peers');

/** Where npm puts the packages of the peers. */
export const MODULES = join(import.meta.dirname, 'node_modules');

export const RESTATE = join(
  MODULES,
  ...['@restatedev', `restate-server-${process.platform}-${process.arch}`, 'bin', 'restate-server'],
);

/** Where pip puts Temporal's development server. */
export const TEMPORAL_HOME = join(HOME, 'temporal');
export const TEMPORAL = join(TEMPORAL_HOME, 'bin', 'temporal');

const DEBIAN = '/usr/lib/postgresql';

export function redisServer(): string | undefined {
  const folder = path().find((each) => existsSync(join(each, 'redis-server')));
  return folder === undefined ? undefined : join(folder, 'redis-server');
}

/** The folder of PostgreSQL's programs: on the path, or where Debian has the newest. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return [...path(), ...versions.map((version) => join(DEBIAN, version, 'bin'))].find((folder) =>
    ['initdb', 'postgres', 'pg_isready'].every((program) => existsSync(join(folder, program))),
  );
}

function path(): readonly string[] {
  return (process.env['PATH'] ?? '').split(delimiter);
}
