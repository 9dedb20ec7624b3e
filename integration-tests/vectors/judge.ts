import { record, sameButForOrder, sameRecords } from './compare.ts';
import { type Allowance, type Difference, differencesOf } from './differences.ts';
import { type Drops, type Observed, type ObservedStep, runVector } from './run-vector.ts';
import { isSet, type OutputRecord, type Step, type Vector } from './vector.ts';

export interface Verdict {
  readonly kind: 'passed' | 'failed' | 'intended' | 'missing';
  /** Names of the intended differences that showed. */
  readonly differences: readonly string[];
  /** The first fault, in one line. */
  readonly fault?: string;
}

/** Runs a vector, and holds what came of it against what it expects. */
export async function judge(vector: Vector): Promise<Verdict> {
  const observed = await runVector(vector);
  if (observed.missing !== undefined) return { kind: 'missing', differences: [], fault: observed.missing.message };
  const whole = refusalFault(vector, observed) ?? observed.faults[0];
  if (whole !== undefined) return failed(whole);
  const differences = differencesOf(vector);
  const shown = new Set<string>();
  const fault = stepsFault(vector.steps ?? [], observed.steps, differences, shown);
  if (fault === undefined) return verdict(shown);
  return (await asThere(vector, differences)) ?? failed(fault);
}

function verdict(shown: ReadonlySet<string>): Verdict {
  return { kind: shown.size === 0 ? 'passed' : 'intended', differences: [...shown] };
}

function failed(fault: string): Verdict {
  return { kind: 'failed', differences: [], fault };
}

function refusalFault({ error }: Vector, { refused }: Observed): string | undefined {
  if (error === undefined) return refused === undefined ? undefined : `expected a run, was refused: ${refused}`;
  return refused === undefined ? `expected a refusal at ${error.at}, was taken` : undefined;
}

function stepsFault(
  steps: readonly Step[],
  observed: readonly ObservedStep[],
  differences: readonly Difference[],
  shown: Set<string>,
): string | undefined {
  let time = Number.NEGATIVE_INFINITY;
  for (const [index, step] of steps.entries()) {
    time = Math.max(time, ...timesOf(step));
    const fault = new StepJudge(step, observed[index]!, differences, shown, time).fault();
    if (fault !== undefined) return `step ${index} ${inputText(step)}: ${fault}`;
  }
  return undefined;
}

function timesOf({ in: into, ts }: Step): readonly number[] {
  return typeof into === 'object' ? into.map((each) => each.ts) : ts === undefined ? [] : [ts];
}

function inputText({ out: _out, dropped: _dropped, error: _error, ...input }: Step): string {
  return JSON.stringify(input);
}

/** One step: what it expects, less what the differences allow, and which of them were needed. */
class StepJudge {
  readonly #step: Step;
  readonly #observed: ObservedStep;
  readonly #differences: readonly Difference[];
  readonly #shown: Set<string>;
  readonly #time: number;

  constructor(
    step: Step,
    observed: ObservedStep,
    differences: readonly Difference[],
    shown: Set<string>,
    time: number,
  ) {
    this.#step = step;
    this.#observed = observed;
    this.#differences = differences;
    this.#shown = shown;
    this.#time = time;
  }

  fault(): string | undefined {
    const { error } = this.#observed;
    if (this.#step.error !== undefined) return error === undefined ? 'expected an error, found none' : undefined;
    if (error !== undefined) return `failed with ${error}`;
    return this.#outputFault() ?? this.#dropFault();
  }

  #outputFault(): string | undefined {
    const { out: expected = [] } = this.#step;
    const unordered = isSet(this.#step);
    let found = this.#observed.out;
    if (sameRecords(expected, found, unordered)) return undefined;
    const told = `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
    const headerless = this.#allowing('headerless');
    const headed = headerless === undefined ? expected : withHeadersOf(expected, found);
    for (const { name, allows } of this.#differences) {
      if (allows.lost === undefined) continue;
      const rest = found.filter((each) => among(each, headed) || !allows.lost!(each, this.#time));
      if (rest.length < found.length) this.#shown.add(name);
      found = rest;
    }
    if (sameRecords(expected, found, unordered)) return undefined;
    const bare = headerless === undefined ? expected : withHeadersOf(expected, found);
    const order = this.#allowing('otherOrder');
    const inOrder = sameRecords(bare, found, unordered);
    if (!inOrder && (order === undefined || !sameButForOrder(bare, found))) return told;
    if (!inOrder) this.#shown.add(order!.name);
    if (headerless !== undefined && !sameRecords(expected, bare, false)) this.#shown.add(headerless.name);
    return undefined;
  }

  #dropFault(): string | undefined {
    const expected = this.#step.dropped ?? 0;
    const { dropped } = this.#observed;
    if (sum(dropped) === expected) return undefined;
    for (const allowing of subsets(this.#differences.filter(({ allows }) => allows.uncounted !== undefined))) {
      const isCounted = (name: string) => !allowing.some(({ allows }) => allows.uncounted!(name));
      if (sum(Object.fromEntries(Object.entries(dropped).filter(([name]) => isCounted(name)))) !== expected) continue;
      for (const { name } of allowing) this.#shown.add(name);
      return undefined;
    }
    return `expected ${expected} dropped, found ${JSON.stringify(dropped)}`;
  }

  #allowing(what: keyof Allowance): Difference | undefined {
    return this.#differences.find(({ allows }) => allows[what] !== undefined);
  }
}

/** The expected records, without the header where the one found in the same place has none. */
function withHeadersOf(expected: readonly OutputRecord[], found: readonly OutputRecord[]): readonly OutputRecord[] {
  return expected.map((each) => {
    const { h: _h, ...bare } = each;
    return found.some((other) => other.h === undefined && record(other) === record(bare)) ? bare : each;
  });
}

function among(each: OutputRecord, list: readonly OutputRecord[]): boolean {
  return list.some((other) => record(other) === record(each));
}

/** Every choice of some of them, small ones first. */
function subsets<T>(items: readonly T[]): readonly (readonly T[])[] {
  const all = Array.from({ length: 2 ** items.length }, (_, bits) => items.filter((_item, i) => (bits >> i) & 1));
  return all.slice(1).toSorted((a, b) => a.length - b.length);
}

function sum(drops: Drops): number {
  return Object.values(drops).reduce((all, count) => all + count, 0);
}

/**
 * The vector once more, in as few of the ways of Kafka Streams as are needed. Then everything must be as it is there, which
 * shows that nothing else differs.
 */
async function asThere(vector: Vector, differences: readonly Difference[]): Promise<Verdict | undefined> {
  const movers = differences.filter(({ allows }) => allows.asThere !== undefined);
  for (const needed of subsets(movers)) {
    const observed = await runVector(vector, Object.assign({}, ...needed.map(({ allows }) => allows.asThere)));
    const shown = new Set(needed.map(({ name }) => name));
    if (stepsFault(vector.steps ?? [], observed.steps, differences, shown) !== undefined) continue;
    return { kind: 'intended', differences: [...shown] };
  }
  return undefined;
}
