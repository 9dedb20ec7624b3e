import { systemClock } from '../../core/clock.ts';
import type { Peer } from '../peers/workflows/peer.ts';
import { tenNodesResult } from './measure.ts';
import { costBetween, spentBy } from './process-tree.ts';
import { startSteadily } from './steady.ts';

/** What is done with an engine, the same with each. */
export interface SideOptions {
  readonly warmSeconds: number;
  readonly seconds: number;
  readonly startsPerSecond: number;
  /** Instead of what suits the engine. */
  readonly inFlight?: number | undefined;
}

export interface Saturated {
  readonly inFlight: number;
  readonly executions: number;
  readonly nodesPerSecond: number;
  readonly nodesPerCpuSecond: number;
  readonly others: number;
}

export interface Steady {
  readonly startsPerSecond: number;
  readonly executions: number;
  readonly cpuMsPerExecution: number;
  readonly p50: number;
  readonly p99: number;
  readonly others: number;
}

export interface SideResult {
  readonly saturated: Saturated;
  readonly steady: Steady;
}

const NODES = 10;
const SETTLE_MS = 2000;
/**
 * V8 compiles for good what has been called some thousand times, and is done with that after four minutes where an
 * execution calls it once: so a minute at four times the rate, or at half of what the engine can take, and some seconds at
 * the rate itself.
 */
const WARM_TIMES = 4;
const WARM_FAST_SECONDS = 60;
const WARM_STEADY_SECONDS = 5;
/** The steady rate is measured for so many times as long as the other: its executions are few. */
const STEADY_TIMES = 3;
/** Of what an engine does when saturated, where it cannot take the starts that are asked for. */
const SHARE = 0.5;

/** How long the two measures take, without starting and stopping. */
export function secondsOfSide({ warmSeconds, seconds }: SideOptions): number {
  const steady = WARM_FAST_SECONDS + WARM_STEADY_SECONDS + seconds * STEADY_TIMES;
  return warmSeconds + seconds + SETTLE_MS / 1000 + steady;
}

/** Runs the two measures on an engine that is loaded. */
export async function measureSide(peer: Peer, options: SideOptions): Promise<SideResult> {
  const runs = new Runs(peer);
  const inFlight = options.inFlight ?? peer.inFlight;
  await saturate(runs, options.warmSeconds, inFlight);
  const saturated = await saturate(runs, options.seconds, inFlight);
  await systemClock.sleep(SETTLE_MS);
  const able = (saturated.nodesPerSecond / NODES) * SHARE;
  const rate = able >= options.startsPerSecond ? options.startsPerSecond : Math.max(1, Math.floor(able));
  await startSteadily(Math.min(able, rate * WARM_TIMES), WARM_FAST_SECONDS, () => runs.one());
  await startSteadily(rate, WARM_STEADY_SECONDS, () => runs.one());
  const from = spentBy(process.pid);
  const times = await startSteadily(rate, options.seconds * STEADY_TIMES, () => runs.one());
  const { cpuSeconds, others } = costBetween(from, spentBy(process.pid));
  times.sort((a, b) => a - b);
  const at = (share: number) => round(times[Math.floor(times.length * share)]!, 2);
  const cpuMsPerExecution = round((cpuSeconds * 1000) / times.length, 3);
  return {
    saturated,
    steady: {
      ...{ startsPerSecond: rate, executions: times.length, cpuMsPerExecution, p50: at(0.5), p99: at(0.99), others },
    },
  };
}

/** Executions with inputs of their own, whose results are looked at. */
class Runs {
  done = 0;
  readonly #peer: Peer;
  #next = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  async one(): Promise<void> {
    const input = this.#next++;
    const result = await this.#peer.run(input);
    const { e: expected } = tenNodesResult(input) as { readonly e: number };
    if (result !== expected) throw new Error(`the execution of ${input} answered ${result}, not ${expected}`);
    this.done++;
  }
}

/**
 * Keeps so many executions running for a while, and then lets them end. All of them count, and so does all that it took:
 * engines that take work in waves would else be seen at a good moment or a bad one.
 */
async function saturate(runs: Runs, seconds: number, inFlight: number): Promise<Saturated> {
  const [before, from] = [runs.done, spentBy(process.pid)];
  const until = performance.now() + seconds * 1000;
  const loop = async () => {
    while (performance.now() < until) await runs.one();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const cost = costBetween(from, spentBy(process.pid));
  const executions = runs.done - before;
  return {
    ...{ inFlight, executions, others: cost.others },
    nodesPerSecond: Math.round((executions * NODES) / cost.seconds),
    nodesPerCpuSecond: Math.round((executions * NODES) / cost.cpuSeconds),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
