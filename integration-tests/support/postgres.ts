import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../cli/kafka/ports.ts';
import { systemClock } from '../../core/clock.ts';
import { openDatabase } from '../../database/database.ts';
import { leaveOut } from './test-run.ts';

const READY_MS = 120_000;
/** Nobody: the server refuses to run as root. */
const OTHER_USER = { uid: 65_534, gid: 65_534 };
const DEBIAN = '/usr/lib/postgresql';

export interface TestPostgres {
  /** Of a new database each time. */
  database(): Promise<string>;
  /** Stops the server as a crash does; `start` lets it come back. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A PostgreSQL server for the caller alone, without durability, on the loopback. Answers `undefined` on a machine that
 * has none; the run then says what was left out, and fails where all tests must run.
 */
export async function testPostgres(): Promise<TestPostgres | undefined> {
  const programs = findPrograms();
  if (programs === undefined) {
    leaveOut('there are no initdb and postgres on the path; install PostgreSQL (Debian: apt install postgresql)');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-postgres-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, OTHER_USER.uid, OTHER_USER.gid);
  const as = isRoot ? OTHER_USER : {};
  const data = join(folder, 'data');
  const made = spawn(join(programs, 'initdb'), ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync', '-E', 'UTF8'], {
    ...as,
    cwd: folder,
    stdio: 'ignore',
  });
  if ((await codeOf(made)) !== 0) throw new Error(`initdb failed in ${folder}`);
  const [port] = await freePorts(1);
  const url = (name: string) => `postgres://test@127.0.0.1:${port}/${name}`;
  let server: ChildProcess | undefined;
  let databases = 0;
  const kill = async () => {
    server?.kill('SIGKILL');
    if (server !== undefined) await codeOf(server);
    server = undefined;
  };
  const start = async () => {
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=16MB'];
    const flags = settings.flatMap((setting) => ['-c', setting]);
    const begin = () =>
      spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
        ...as,
        cwd: folder,
        stdio: 'ignore',
      });
    server = begin();
    const until = systemClock.monotonic() + READY_MS;
    while (!(await answers(url('postgres')))) {
      if (systemClock.monotonic() > until) throw new Error('the PostgreSQL server does not answer');
      await systemClock.sleep(50);
      // it refuses to begin while processes of one that was killed are still there
      if (server.exitCode !== null) server = begin();
    }
  };
  await start();
  const end = () => void server?.kill('SIGKILL');
  process.once('exit', end);
  return {
    async database() {
      const admin = await openDatabase({ url: url('postgres') });
      const name = `test${databases++}`;
      await admin.query(`create database ${name}`);
      await admin.close();
      return url(name);
    },
    kill,
    start,
    async close() {
      process.removeListener('exit', end);
      await kill();
      // processes that it had begun may write for a moment more
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
}

/** The folder with both programs. */
function findPrograms(): string | undefined {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
  const folders = [...debian, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))));
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await openDatabase({ url })).close();
    return true;
  } catch {
    return false;
  }
}

function codeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
