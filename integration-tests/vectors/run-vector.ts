import { isFlowError } from '../../core/errors.ts';
import type { DriverRecord } from '../../runtime/testing.ts';
import { TopologyDriver } from '../../runtime/testing.ts';
import { type Program, topology } from '../../topology/topology.ts';
import { type ThereMode, withOperatorsAsThere } from './as-there.ts';
import { MissingOp, VectorBuild, type VectorBuildOptions } from './builder.ts';
import { compareState, compareTopology } from './compare.ts';
import { OPS } from './ops.ts';
import { WINDOWED_MARK } from './ops-basic.ts';
import type { OutputRecord, StateRow, Step, Vector } from './vector.ts';

/** What came of the input, step by step, or why the topology was refused. */
export interface Observed {
  /** Of the error that refused the topology. */
  readonly refused?: string;
  readonly steps: readonly ObservedStep[];
  /** What is wrong apart from the steps. */
  readonly faults: readonly string[];
  /** A statement that no operator knows. */
  readonly missing?: MissingOp;
}

export interface ObservedStep {
  readonly out: readonly OutputRecord[];
  /** Newly dropped records, by node and reason. */
  readonly dropped: Drops;
  readonly error?: string;
}

export type Drops = { readonly [nodeAndReason: string]: number };

/** The topic whose records a vector tells. */
const OUTPUT = 'O';
/** The one header that a record of a vector may have. */
const HEADER = 'h';

/** Statements that look rows of tables up. */
const LOOKS = ['joinTT', 'joinST', 'joinFK'];

/** Under which records are counted that were left out before they were grouped. */
const USELESS = 'grouping null';

export interface RunMode extends ThereMode {
  /** Records do not come to the aggregates that would drop them for what they lack. */
  readonly withoutUseless?: boolean;
}

/** Runs a vector through the public API. What it expects is looked at by others: here only the input counts. */
export async function runVector(vector: Vector, mode: RunMode = {}): Promise<Observed> {
  const faults: string[] = [];
  return withOperatorsAsThere(
    mode,
    (fault) => faults.push(fault),
    () => run(vector, mode, faults),
  );
}

async function run(vector: Vector, mode: RunMode, faults: string[]): Promise<Observed> {
  let useless = 0;
  const onUseless = () => {
    useless++;
  };
  const asThere = mode.oldsOfUpdates === true || mode.atOnce === true || mode.headersOfTrigger === true;
  const buffers = asThere || vector.topology.some(({ op }) => LOOKS.includes(op));
  const options = { buffers, onUseless: mode.withoutUseless ? onUseless : undefined };
  let build: VectorBuild;
  let program: Program;
  let driver: TopologyDriver;
  try {
    // what later statements ask of a table is known to the second
    built(vector, options);
    build = built(vector, options);
    program = build.topology.build();
    driver = await TopologyDriver.open(program, { sharedStreamTime: true });
  } catch (thrown) {
    if (thrown instanceof MissingOp) return { steps: [], faults: [], missing: thrown };
    if (!isFlowError(thrown)) throw thrown;
    return { refused: thrown.message, steps: [], faults: [] };
  }
  faults.push(...compareTopology(program.plan, vector.expectTopology));
  const steps = (vector.steps ?? []).map((step): ObservedStep => {
    const before = useless;
    const observed = observeStep(driver, build, step);
    const left = useless - before;
    return left === 0 ? observed : { ...observed, dropped: { ...observed.dropped, [USELESS]: left } };
  });
  for (const [store, rows] of Object.entries(vector.state ?? {})) {
    faults.push(...compareState(store, rows, stateOf(driver, store)));
  }
  return { steps, faults };
}

function built(vector: Vector, options: VectorBuildOptions): VectorBuild {
  const build = new VectorBuild(topology('vector'), vector.config ?? {}, OPS, options);
  for (const [place, statement] of vector.topology.entries()) build.add(statement, place);
  return build;
}

function observeStep(driver: TopologyDriver, build: VectorBuild, step: Step): ObservedStep {
  const before = driver.dropped();
  let error: string | undefined;
  try {
    feed(driver, build, step);
  } catch (thrown) {
    if (!isFlowError(thrown)) throw thrown;
    error = thrown.message;
  }
  const output = build.topics.get(OUTPUT);
  const out = output === undefined ? [] : driver.output(output).read().map(told);
  const dropped = newly(before, driver.dropped());
  return error === undefined ? { out, dropped } : { out, dropped, error };
}

function feed(driver: TopologyDriver, build: VectorBuild, step: Step): void {
  if (step.advance !== undefined) {
    driver.advance(step.advance);
    return;
  }
  const records = typeof step.in === 'string' ? [{ ...step, in: step.in }] : (step.in ?? []);
  for (const { in: to, k = null, v = null, ts, h } of records) {
    const headers = h === undefined ? {} : { [HEADER]: h };
    driver.input(build.topic(to)).send(k, v, { ...(ts === undefined ? {} : { timestamp: ts }), headers });
  }
}

function told({ key, value, timestamp, headers }: DriverRecord<string, string | null>): OutputRecord {
  const h = headers[HEADER];
  const rest = { v: value, ts: timestamp, ...(h === undefined ? {} : { h }) };
  if (key?.startsWith(WINDOWED_MARK) !== true) return { k: key, ...rest };
  const [k, start, end] = JSON.parse(key.slice(WINDOWED_MARK.length)) as [string | null, number, number | string];
  return { k, win: [start, end], ...rest };
}

function newly(before: Drops, after: Drops): Drops {
  const rows = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(rows.filter(([, count]) => count > 0));
}

function stateOf(driver: TopologyDriver, store: string): readonly StateRow[] {
  return driver
    .table<unknown, unknown>(store)
    .rows()
    .map(({ key, start, value }) => ({
      k: String(key),
      ...(start === undefined ? {} : { win: [start, 0] as const }),
      v: String(value),
    }));
}
