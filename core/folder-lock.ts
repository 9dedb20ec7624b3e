import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from './clock.ts';
import { FlowError, isFlowError } from './errors.ts';
import { failpoint } from './failpoints.ts';

/**
 * One owner process a folder. Node has no `flock`, so the proof of life is a socket that the owner listens
 * on: the kernel binds a name once, and a dead process answers nothing, however it died. `owner.json` says
 * who the owner is; it also guards against a socket file that somebody removed, by process id *and* start
 * time, so that a process id used again proves nothing.
 *
 * A dead owner's socket file is removed by its successor. Two successors at once are kept apart by a second
 * name, taken for the moment of taking over, that leaves no file behind (an abstract socket; where there are
 * none, the successors look once more after binding whether the name is still theirs).
 *
 * The socket answers whoever connects with one line of JSON, the owner; this is where tools reach it.
 */
export interface Owner {
  readonly pid: number;
  /** The process's start as the kernel counts it, or '' where it does not say. */
  readonly started: string;
  readonly command: string;
  /** Tells two owners within one process apart. */
  readonly nonce: string;
}

const LONGEST_SOCKET_PATH = 100;
const ANSWER_MS = 2000;
const WAIT_MS = 50;
/** So often a folder may vanish as it is entered before that counts as an error of the disk. */
const MOST_VANISHED = 20;
let serial = 0;

/**
 * Takes a folder, which is made where it is missing; the answer gives it back. Fails with `log.locked`, naming the
 * owner. `what` says in that message what the folder holds.
 */
export async function lockFolder(directory: string, what: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const owner: Owner = {
    pid: process.pid,
    started: await startOf(process.pid),
    command: [process.title, ...process.argv.slice(1)].join(' ').slice(0, 200),
    nonce: `${process.pid}-${performance.timeOrigin}-${serial++}`,
  };
  const key = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex')
    .slice(0, 24);
  const path = socketPath(directory, key);
  const named = `${what} in ${directory}`;
  const guard = await takeGuard(key, named);
  let server: Server | undefined;
  try {
    server = await bind(path, named, owner);
    failpoint('file.lock.bound');
    const file = join(directory, 'owner.json');
    await refuseLiving(file, named);
    await writeFile(`${file}.new`, JSON.stringify(owner));
    await rename(`${file}.new`, file);
    const seen = await ask(path);
    if (seen?.nonce !== owner.nonce) throw lockedBy(named, seen);
  } catch (thrown) {
    if (server !== undefined) await close(server);
    throw thrown;
  } finally {
    if (guard !== undefined) await close(guard);
  }
  return async () => {
    await rm(join(directory, 'owner.json'), { force: true });
    await close(server);
  };
}

/**
 * Does one thing at a time among all who name the same folder, which is there only meanwhile; waits for its turn. Of
 * an owner that died the next one takes over.
 */
export async function aloneIn<T>(directory: string, what: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const unlock = await lockInTurn(directory, what, clock);
  try {
    return await work();
  } finally {
    await unlock();
    // it stays where the next one is in it already
    await rmdir(directory).catch(() => undefined);
  }
}

async function lockInTurn(directory: string, what: string, clock: Clock): Promise<() => Promise<void>> {
  for (let vanished = 0; ; ) {
    try {
      return await lockFolder(directory, what);
    } catch (thrown) {
      // Whoever had the folder may remove it as it is entered; of a socket that has no folder Node says EACCES.
      const { code = '' } = thrown as NodeJS.ErrnoException;
      if (isFlowError(thrown, 'log.locked')) vanished = 0;
      else if (!['ENOENT', 'EACCES'].includes(code) || ++vanished === MOST_VANISHED) throw thrown;
      await clock.sleep(WAIT_MS);
    }
  }
}

async function bind(path: string, folder: string, owner: Owner): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await listen(path, owner);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw thrown;
      const seen = await ask(path);
      if (seen !== undefined || attempt === 3) throw lockedBy(folder, seen);
      await unlink(path).catch(() => undefined);
    }
  }
}

/** The socket was free, yet the owner that the file names lives: its socket file was removed. */
async function refuseLiving(file: string, folder: string): Promise<void> {
  let named: Owner;
  try {
    named = JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return;
  }
  if (named.pid === process.pid || named.started === '' || (await startOf(named.pid)) !== named.started) return;
  throw lockedBy(folder, named);
}

function lockedBy(folder: string, owner: Owner | undefined): FlowError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} (${owner.command})`;
  return new FlowError('log.locked', `${folder} is owned by ${who}; stop it, or use another folder`);
}

/** When a process started, in the kernel's own count; '' where it is gone or the kernel does not say. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function socketPath(directory: string, key: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\nodeflow-${key}`;
  const inside = join(directory, 'owner.sock');
  return inside.length <= LONGEST_SOCKET_PATH ? inside : join(tmpdir(), `nodeflow-${key}.sock`);
}

/** Waits for nobody: whoever holds it is about to become the owner. */
async function takeGuard(key: string, folder: string): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    return await listen(`\0nodeflow-${key}`, undefined);
  } catch {
    throw lockedBy(folder, undefined);
  }
}

function listen(path: string, owner: Owner | undefined): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(owner === undefined ? '' : `${JSON.stringify(owner)}\n`);
    });
    server.once('error', reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Who listens at `path`: `undefined` where nobody does. One that listens and is silent is an owner without a name. */
function ask(path: string): Promise<Owner | undefined> {
  return new Promise((resolve) => {
    let text = '';
    let connected = false;
    const socket = connect(path);
    const end = () => {
      socket.destroy();
      resolve(connected ? parseOwner(text) : undefined);
    };
    // a process that was held up for so long first hears what has come meanwhile
    socket.setTimeout(ANSWER_MS, () => void systemClock.turn().then(end));
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('data', (part) => {
      text += part.toString('utf8');
    });
    socket.on('error', end);
    socket.on('end', end);
  });
}

function parseOwner(text: string): Owner {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return { pid: 0, started: '', command: 'it does not answer', nonce: '' };
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
