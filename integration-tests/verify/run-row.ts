import { check, type Fault, isGood, type Verdict } from './checker.ts';
import { makeTable } from './input.ts';
import { expectedResults } from './oracle.ts';
import { readInput, readResults } from './outputs.ts';
import type { Counters, Row } from './rows.ts';
import { Trial } from './trial.ts';
import type { World } from './world.ts';

/** What came of a row. */
export interface Outcome {
  readonly row: string;
  readonly title: string;
  readonly repeats: number;
  readonly seed: number;
  /** Records of the input. */
  readonly records: number;
  readonly faults: { readonly [fault in Fault]: number };
  readonly recoveryMs: { readonly p50: number; readonly worst: number } | undefined;
  /** No worker's tasks stood still for longer as others of its tasks were given up or taken over. */
  readonly pauseMs: number;
  /** The longest time in which committed readers saw nothing new of a task that stayed where it was. */
  readonly gapMs: number | undefined;
  /** The longest time in which committed readers saw nothing new in a partition. */
  readonly stillMs: number | undefined;
  /** Whoever was degraded said so after this time at most. */
  readonly alarmMs: number | undefined;
  readonly counters: Counters;
  readonly seconds: number;
  /** Empty where the row holds. */
  readonly problems: readonly string[];
  /** What each process logged. */
  readonly logs: readonly string[];
}

/** Runs a row once, with all its repeats, and checks everything that it left. */
export async function runRow(world: World, row: Row, repeats: number, seed: number, name: string): Promise<Outcome> {
  const trial = new Trial(world, name, seed);
  const startedAt = trial.clock.monotonic();
  let records = 0;
  let verdict: Verdict | undefined;
  let aborted = 0;
  try {
    await trial.open();
    await row.run(trial, repeats);
    await trial.settle();
    await trial.withLog(async (log) => {
      const input = await readInput(log, trial.job);
      records = input.length;
      if (records !== trial.fed)
        trial.problems.push(`the input has ${records} records, acknowledged were ${trial.fed}`);
      const keys = new Map(input.map(({ id, key }) => [String(id), key]));
      const actual = await readResults(log, trial.job);
      const expected = expectedResults(input, makeTable(seed), { ended: false });
      verdict = check(actual, expected, (id) => keys.get(id));
      trial.problems.push(...watched(trial, actual.outputs.copy));
    });
    aborted = await trial.aborted();
    await trial.removeTopics();
  } catch (thrown) {
    trial.problems.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  } finally {
    await trial.close();
  }
  const counters = countersOf(trial, aborted);
  return {
    row: row.id,
    title: row.title,
    repeats,
    seed,
    records,
    faults: verdict?.counts ?? { lost: -1, doubled: -1, inverted: -1, wrong: -1, foreign: -1, positions: -1 },
    recoveryMs: recoveryOf(trial.recoveriesMs),
    pauseMs: Math.max(0, ...trial.apps.map(({ figures }) => figures.pauseMs)),
    gapMs: trial.gapsMs.length === 0 ? undefined : Math.round(Math.max(...trial.gapsMs)),
    stillMs: trial.stillMs === undefined ? undefined : Math.round(trial.stillMs),
    alarmMs: trial.alarmsMs.length === 0 ? undefined : Math.round(Math.max(...trial.alarmsMs)),
    counters,
    seconds: Math.round((trial.clock.monotonic() - startedAt) / 1000),
    problems: [...trial.problems, ...problemsOf(trial, row, counters, verdict)],
    logs: trial.apps.map(({ errors }) => errors),
  };
}

function problemsOf(trial: Trial, row: Row, counters: Counters, verdict: Verdict | undefined): readonly string[] {
  const problems: string[] = [];
  if (verdict !== undefined && !isGood(verdict)) problems.push(...verdict.examples);
  const needs = trial.world.shared ? (row.needs ?? ['faults']) : (['faults'] as const);
  for (const need of needs) if (counters[need] === 0) problems.push(`nothing was ${need}`);
  for (const app of trial.apps) {
    const { failure } = app;
    if (failure !== undefined && row.mayFail?.test(failure) !== true) problems.push(`a process failed: ${failure}`);
    if (failure === undefined && (app.end?.code ?? 0) !== 0) problems.push(`a process fell: ${app.errors.slice(-500)}`);
  }
  return problems;
}

/** The reader beside the faults must have seen what stands there at the end, no more and in the same order. */
function watched(trial: Trial, copy: readonly { readonly partition: number; readonly id: string }[]): string[] {
  const problems: string[] = [];
  trial.watcher?.ids.forEach((seen, partition) => {
    const there = copy.filter((entry) => entry.partition === partition).map(({ id }) => Number(id));
    const at = seen.findIndex((id, i) => id !== there[i]);
    if (at >= 0)
      problems.push(`while it ran, a reader saw ${seen[at]} at ${at} of partition ${partition}, now ${there[at]}`);
  });
  return problems;
}

function countersOf(trial: Trial, aborted: number): Counters {
  const sum = (of: (app: Trial['apps'][number]) => number) => trial.apps.reduce((all, app) => all + of(app), 0);
  return {
    faults: trial.faults,
    processes: trial.apps.length,
    failures: trial.apps.filter(({ failure }) => failure !== undefined).length,
    rebuilds: sum((app) => app.figures.rebuilds),
    restored: sum((app) => app.figures.restored),
    aborted,
    fenced: sum((app) => app.errors.split('\n').filter((line) => /fenced|newer (owner|producer)/.test(line)).length),
    retries: sum((app) => app.figures.retries),
    joins: trial.joins,
  };
}

function recoveryOf(times: readonly number[]): Outcome['recoveryMs'] {
  if (times.length === 0) return undefined;
  const sorted = [...times].sort((a, b) => a - b);
  return { p50: Math.round(sorted[Math.floor((sorted.length - 1) / 2)]!), worst: Math.round(sorted.at(-1)!) };
}
