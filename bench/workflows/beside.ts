import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { installPeers, PEERS, type PeerName } from '../peers/workflows/install.ts';
import { type Round, rowsOf } from './beside-report.ts';
import type { SideOptions, SideResult } from './side.ts';

export interface BesideOptions extends SideOptions {
  readonly peers: readonly PeerName[];
  readonly pairs: number;
}

const SIDE = join(import.meta.dirname, 'side-main.ts');
/** What is kept of what a side says, for when it fails. */
const TAIL = 4000;
/** Starting, settling and stopping, for each run. */
const OTHER_SECONDS = 18;

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
  const each = options.warmSeconds + 2 * options.seconds + OTHER_SECONDS;
  say(`about ${Math.ceil((each * options.pairs * (there.length + 1)) / 60)} minutes`);
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

async function runSide(name: string, options: SideOptions): Promise<SideResult> {
  const child = spawn(process.execPath, [SIDE, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
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
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  running = undefined;
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
