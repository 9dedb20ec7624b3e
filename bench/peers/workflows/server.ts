import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';

export interface ServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where it runs and where its log goes. */
  readonly folder: string;
  readonly env?: { readonly [name: string]: string };
  /** Another user than that of this process. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Asked until it answers true. */
  readonly ready: () => Promise<boolean>;
  /** Where killing would leave something behind. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface Server {
  stop(): Promise<void>;
}

const READY_MS = 60_000;
const STOP_MS = 10_000;

const running = new Map<ChildProcess, NodeJS.Signals>();

/** Ends all of them at once. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map(([child, signal]) => stopChild(child, signal)));
}

/** Starts a server, and waits until it is ready. It does not outlive this process, however that ends. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, command, args, folder, env, user, ready, stopSignal = 'SIGKILL' } = options;
  const log = join(folder, `${name}.log`);
  const out = openSync(log, 'a');
  // the kernel ends it with its parent
  const tied = spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0;
  const words = tied ? ['setpriv', '--pdeathsig', stopSignal.slice(3), '--', command, ...args] : [command, ...args];
  const child = spawn(words[0]!, words.slice(1), {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', out, out],
    ...user,
  });
  closeSync(out);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  running.set(child, stopSignal);
  child.once('exit', () => running.delete(child));
  const until = systemClock.monotonic() + READY_MS;
  while (!(await ready().catch(() => false))) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null || systemClock.monotonic() > until) {
      child.kill('SIGKILL');
      throw new Error(`${name} is not ready: ${readFileSync(log, 'utf8').slice(-2000)}`);
    }
    await systemClock.sleep(50);
  }
  return {
    stop: () => stopChild(child, options.stopSignal ?? 'SIGTERM'),
  };
}

async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  const spare = systemClock.after(STOP_MS, () => void child.kill('SIGKILL'));
  await exit;
  spare();
}

/** Whether something takes connections at a port of the loopback. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
