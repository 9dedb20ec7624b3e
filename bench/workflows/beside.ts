import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { installPeers, PEERS, type PeerName } from '../peers/workflows/install.ts';
import { type Round, rowsOf } from './beside-report.ts';
import { type SideOptions, type SideResult, secondsOfSide } from './side.ts';

export interface BesideOptions extends SideOptions {
  readonly peers: readonly PeerName[];
  readonly pairs: number;
}

const SIDE = join(import.meta.dirname, 'side-main.ts');
/** What is kept of what a side says, for when it fails. */
const TAIL = 4000;
/** Starting and stopping, for each run. */
const OTHER_SECONDS = 15;
/** How many times as long as it should take a run may take, before it is given up. */
const PATIENCE = 3;
const KILL_MS = 15_000;

export function peersOf(text: string): readonly PeerName[] {
  return text.split(',').map((name) => {
    if (!PEERS.includes(name as PeerName)) throw new Error(`there is no peer ${name}: ${PEERS.join(', ')}`);
    return name as PeerName;
  });
}

let running: ChildProcess | undefined;

/** The engine and its peers in turns, forwards and backwards; answers the rows. */
export async function measureBeside(options: BesideOptions, say: (text: string) => void) {
  const { there, leftOut } = installPeers(options.peers, say);
  for (const { name, reason } of leftOut) say(`left out: ${name}: ${reason}`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // it ends with what it has started
      running?.disconnect();
      process.exit(130);
    });
  }
  say(`about ${Math.ceil((secondsOf(options) * options.pairs * (there.length + 1)) / 60)} minutes`);
  const rounds: Round[] = [];
  const failed = new Set<PeerName>();
  for (let pair = 1; pair <= options.pairs; pair++) {
    const order = ['engine' as const, ...there.filter((name) => !failed.has(name))];
    if (pair % 2 === 0) order.reverse();
    const results = new Map<string, SideResult>();
    for (const name of order) {
      try {
        const result = await runSide(name, options);
        results.set(name, result);
        say(`pair ${pair} of ${options.pairs}: ${name}: ${wordsOf(result)}`);
      } catch (thrown) {
        if (name === 'engine') throw thrown;
        failed.add(name);
        process.exitCode = 1;
        say(`left out: ${name} failed: ${messageOf(thrown)}`);
      }
    }
    rounds.push(results);
  }
  return rowsOf(
    rounds,
    there.filter((name) => !failed.has(name)),
  );
}

function secondsOf(options: SideOptions): number {
  return secondsOfSide(options) + OTHER_SECONDS;
}

async function runSide(name: string, options: SideOptions): Promise<SideResult> {
  const child = spawn(process.execPath, [SIDE, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  running = child;
  let tail = '';
  let result: SideResult | undefined;
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-TAIL);
    });
  }
  child.on('message', (message) => {
    result = message as SideResult;
  });
  const limit = secondsOf(options) * PATIENCE;
  let isLate = false;
  const forget = systemClock.after(limit * 1000, () => {
    isLate = true;
    child.kill('SIGTERM');
    systemClock.after(KILL_MS, () => void child.kill('SIGKILL'));
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  forget();
  running = undefined;
  if (isLate) throw new Error(`it had not ended after ${limit} seconds\n${tail}`);
  if (code !== 0 || result === undefined) throw new Error(`it ended with ${code ?? signal}\n${tail}`);
  return result;
}

function wordsOf({ saturated, steady }: SideResult): string {
  return (
    `${saturated.nodesPerSecond} nodes a second, ${saturated.nodesPerCpuSecond} a CPU second ` +
    `(${saturated.inFlight} in flight, others ${saturated.others} %); at ${steady.startsPerSecond} starts a second ` +
    `${steady.cpuMsPerExecution} ms of CPU an execution, p50 ${steady.p50} ms, p99 ${steady.p99} ms (others ${steady.others} %)`
  );
}
