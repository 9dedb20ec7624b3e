import { median } from '../spread.ts';
import type { Latency } from './latency.ts';
import type { Guarantee, Measured } from './measure.ts';
import type { RowName } from './rows.ts';

/** What every line of the report has: a ratio, what it should be, and how far it went in the pairs. */
interface Line {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly goal: number;
  readonly pairs: number;
}

/** CPU of the peer for a million records, divided by the engine's. */
export interface RowResult extends Line {
  readonly row: RowName;
  readonly guarantee: Guarantee;
  readonly profile: string;
  readonly engine: Measured;
  readonly peer: Measured;
  readonly latency?: { readonly engine: Latency; readonly peer: Latency };
}

/** CPU and wall time of the engine exactly-once, divided by its own at-least-once. */
export interface CostResult extends Line {
  readonly row: 'exactly-once-cost';
  readonly of: string;
  readonly wall: { readonly ratio: number; readonly low: number; readonly high: number };
  readonly exactlyOnce: Measured;
  readonly atLeastOnce: Measured;
}

/** Peak memory of the peer, with the smallest heap that costs it no speed, divided by the engine's. */
export interface MemoryResult extends Line {
  readonly row: 'memory';
  readonly of: string;
  readonly profile: string;
  readonly engine: Measured;
  readonly peer: Measured;
}

/** CPU of something else, measured once on fewer records, divided by the engine's on the same. */
export interface BesideResult extends Line {
  readonly row: 'beside';
  readonly of: string;
  readonly who: string;
  readonly engine: Measured;
  readonly peer: Measured;
}

/** The engine once more, where it commits as often as the peer, against the peer's runs. */
export interface OftenResult extends Line {
  readonly row: 'as-many-commits';
  readonly of: string;
  readonly guarantee: string;
  readonly intervalMs: number;
  readonly profile: string;
  readonly engine: Measured;
  readonly peer: Measured;
}

export type Result = RowResult | CostResult | MemoryResult | OftenResult | BesideResult;

/** Each figure by itself: the median of all runs; memory the largest. */
export function medianOf(all: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number) => median(all.map(pick));
  return {
    engineCpu: of((one) => one.engineCpu),
    brokerCpu: of((one) => one.brokerCpu),
    recordsPerSecond: of((one) => one.recordsPerSecond),
    peakMb: Math.max(...all.map((one) => one.peakMb)),
    written: of((one) => one.written),
    commits: of((one) => one.commits),
    again: Math.max(...all.map((one) => one.again)),
    volumeMb: of((one) => one.volumeMb),
    foreign: of((one) => one.foreign),
  };
}

export function inWords(who: string, one: Measured): string {
  return (
    `  ${who.padEnd(52)} ${one.engineCpu.toFixed(2).padStart(6)} CPU-s/M  broker ${one.brokerCpu.toFixed(2)}  ` +
    `${Math.round(one.recordsPerSecond / 1000)} k/s  peak ${one.peakMb} MB  ${one.commits} commits  ` +
    `wrote ${one.written.toFixed(3)} a record, ${one.volumeMb.toFixed(0)} MB/M  ` +
    `others ${(one.foreign * 100).toFixed(0)} %` +
    (one.again > 0.001 ? `  took ${(one.again * 100).toFixed(0)} % again` : '')
  );
}

function latencyInWords(who: string, { rate, p50, p99 }: Latency): string {
  return `  ${who.padEnd(52)} at ${Math.round(rate / 1000)} k/s: p50 ${p50} ms, p99 ${p99} ms`;
}

const spreadInWords = ({ low, high, pairs }: Line) => `${low.toFixed(2)} to ${high.toFixed(2)}, ${pairs} pairs`;

/** A result as a person reads it. */
export function linesOf(result: Result, title: (row: RowName) => string): readonly string[] {
  const { ratio, goal } = result;
  if (result.row === 'exactly-once-cost') {
    const { wall } = result;
    const isMet = Math.max(ratio, wall.ratio) <= goal;
    return [
      `exactly-once costs ${result.of}: ${ratio.toFixed(2)} of at-least-once in CPU (${spreadInWords(result)}), ` +
        `${wall.ratio.toFixed(2)} in wall time (${wall.low.toFixed(2)} to ${wall.high.toFixed(2)}); ` +
        `goal at most ${goal}: ${reached(isMet)}`,
    ];
  }
  const met = goal === 0 ? '' : `; goal ${goal}: ${reached(ratio >= goal)}`;
  const sides = (peer: string) => [inWords('engine', result.engine), inWords(peer, result.peer)];
  if (result.row === 'memory') {
    return [
      `memory of ${result.of}: the peer takes ${ratio.toFixed(1)} times the engine's${met}`,
      ...sides(`Kafka Streams, ${result.profile}`),
    ];
  }
  if (result.row === 'beside')
    return [
      `beside ${result.of}: ${result.who} takes ${ratio.toFixed(1)} times the engine's CPU`,
      ...sides(result.who),
    ];
  if (result.row === 'as-many-commits')
    return [
      `${result.of} with as many commits, ${result.guarantee}: ratio ${ratio.toFixed(1)} (${spreadInWords(result)})${met}`,
      ...sides(`Kafka Streams, ${result.profile}`),
    ];
  const { latency } = result;
  return [
    `${result.row} (${title(result.row)}), ${result.guarantee}: ratio ${ratio.toFixed(1)} (${spreadInWords(result)})${met}`,
    ...sides(`Kafka Streams, ${result.profile}`),
    ...(latency === undefined
      ? []
      : [latencyInWords('engine', latency.engine), latencyInWords('Kafka Streams', latency.peer)]),
  ];
}

const reached = (isReached: boolean) => (isReached ? 'reached' : 'not reached');
