import type { Latency } from './latency.ts';
import type { Guarantee, Measured } from './measure.ts';

/** A row of the table, or a line of `--json`. */
export interface RowResult {
  readonly row: string;
  readonly guarantee: Guarantee;
  /** Engine CPU of the peer for a million records, divided by ours: pair by pair, the median. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
  readonly profile: string;
  readonly engine: Measured;
  readonly peer: Measured;
  /** Who else was measured, once. */
  readonly beside: { readonly [name: string]: Measured };
  readonly latency?: { readonly engine: Latency; readonly peer: Latency };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Each figure by itself: the median of all runs; memory the largest. */
export function medianOf(all: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number) => median(all.map(pick));
  return {
    engineCpu: of((one) => one.engineCpu),
    brokerCpu: of((one) => one.brokerCpu),
    recordsPerSecond: of((one) => one.recordsPerSecond),
    peakMb: Math.max(...all.map((one) => one.peakMb)),
    written: of((one) => one.written),
    volumeMb: of((one) => one.volumeMb),
    foreign: of((one) => one.foreign),
  };
}

export function inWords(who: string, one: Measured): string {
  return (
    `  ${who.padEnd(44)} ${one.engineCpu.toFixed(2).padStart(6)} CPU-s/M  broker ${one.brokerCpu.toFixed(2)}  ` +
    `${Math.round(one.recordsPerSecond / 1000)} k/s  peak ${one.peakMb} MB  ` +
    `wrote ${(one.written / 1e6).toFixed(2)} M records, ${one.volumeMb.toFixed(0)} MB/M  ` +
    `others ${(one.foreign * 100).toFixed(0)} %`
  );
}

export function titleOf({ row, guarantee, ratio, low, high, pairs }: RowResult, title: string): string {
  return `${row} (${title}), ${guarantee}: ratio ${ratio.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)}, ${pairs} pairs)`;
}

export function latencyInWords(who: string, { rate, p50, p99 }: Latency): string {
  return `  ${who.padEnd(44)} at ${Math.round(rate / 1000)} k/s: p50 ${p50} ms, p99 ${p99} ms`;
}
