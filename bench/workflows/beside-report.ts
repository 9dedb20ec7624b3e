import type { PeerName } from '../peers/workflows/install.ts';
import type { SideResult } from './side.ts';

/** What each side did in one turn. */
export type Round = ReadonlyMap<string, SideResult>;

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

type Figures = { readonly [name: string]: number };

/** One mode of the engine beside one peer, medians of all pairs; `times` is the peer's CPU over the engine's, by pairs. */
export interface BesideRow {
  readonly row: 'beside-saturated' | 'beside-steady';
  readonly peer: PeerName;
  readonly pairs: number;
  readonly engine: Figures;
  readonly other: Figures;
  readonly times: Ratio;
}

/** The goals, against whichever peer takes the least CPU. */
export interface GoalRow {
  readonly row: 'beside-goal';
  readonly goal: string;
  readonly value: number;
  readonly wanted: number;
  readonly reached: boolean;
  readonly best?: PeerName;
  readonly least: number;
  readonly most: number;
}

const GOALS = { saturated: 20, steady: 8, p50: 5, p99: 20 };

export function rowsOf(rounds: readonly Round[], peers: readonly PeerName[]): readonly (BesideRow | GoalRow)[] {
  const saturated = peers.map((peer) => rowOf(rounds, peer, 'saturated'));
  const steady = peers.map((peer) => rowOf(rounds, peer, 'steady'));
  // a peer that cannot take as many starts is not compared at fewer
  const able = steady.filter(({ engine, other }) => engine['startsPerSecond'] === other['startsPerSecond']);
  const isEngine = ({ peer }: BesideRow) => peer !== 'floor';
  const ends = rounds.map((round) => round.get('engine')!.steady);
  return [
    ...saturated,
    ...steady,
    ...timesGoal(
      'times the best of the peers in nodes per CPU-second, saturated',
      GOALS.saturated,
      saturated.filter(isEngine),
    ),
    ...timesGoal(
      'times the best of the peers in nodes per CPU-second, starts at a steady rate',
      GOALS.steady,
      able.filter(isEngine),
    ),
    timeGoal(
      'p50 in ms from start to completion',
      GOALS.p50,
      ends.map(({ p50 }) => p50),
    ),
    timeGoal(
      'p99 in ms from start to completion',
      GOALS.p99,
      ends.map(({ p99 }) => p99),
    ),
  ];
}

function rowOf(rounds: readonly Round[], peer: PeerName, mode: 'saturated' | 'steady'): BesideRow {
  const pairs = rounds.map((round) => [round.get('engine')!, round.get(peer)!] as const);
  return {
    ...{ row: `beside-${mode}`, peer, pairs: pairs.length },
    engine: medians(pairs.map(([engine]) => engine[mode])),
    other: medians(pairs.map(([, other]) => other[mode])),
    times: spreadOf(pairs.map(([engine, other]) => cpuOf(other, mode) / cpuOf(engine, mode))),
  };
}

/** Seconds of CPU for an execution. */
function cpuOf({ saturated, steady }: SideResult, mode: 'saturated' | 'steady'): number {
  return mode === 'saturated' ? 10 / saturated.nodesPerCpuSecond : steady.cpuMsPerExecution / 1000;
}

/** The best peer is the one that the engine is the fewest times better than. */
function timesGoal(goal: string, wanted: number, rows: readonly BesideRow[]): GoalRow[] {
  const [best] = rows.toSorted((a, b) => a.times.median - b.times.median);
  if (best === undefined) return [];
  const { median: value, least, most } = best.times;
  return [{ row: 'beside-goal', goal, value, wanted, reached: value >= wanted, best: best.peer, least, most }];
}

function timeGoal(goal: string, wanted: number, values: readonly number[]): GoalRow {
  const { median: value, least, most } = spreadOf(values);
  return { row: 'beside-goal', goal, value, wanted, reached: value <= wanted, least, most };
}

function medians(all: readonly object[]): Figures {
  const names = Object.keys(all[0]!);
  return Object.fromEntries(
    names.map((name) => [
      name,
      Number(median(all.map((one) => (one as { readonly [name: string]: number })[name]!)).toFixed(3)),
    ]),
  );
}

function spreadOf(values: readonly number[]): Ratio {
  const round = (value: number) => Number(value.toPrecision(3));
  return { median: round(median(values)), least: round(Math.min(...values)), most: round(Math.max(...values)) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A row in words. */
export function lineOf(row: BesideRow | GoalRow): string {
  if (row.row === 'beside-goal') {
    const best = row.best === undefined ? '' : ` (${row.best})`;
    return `goal: ${row.goal}${best}: ${row.value} (${row.least} to ${row.most}), wanted ${row.wanted}: ${row.reached ? 'reached' : 'missed'}`;
  }
  const { engine, other, times } = row;
  const figures = ([name, value]: [string, number]) => `${name} ${value} / ${other[name]}`;
  return `${row.row} ${row.peer}: ${times.median} times (${times.least} to ${times.most}); engine / ${row.peer}: ${Object.entries(engine).map(figures).join('  ')}`;
}
