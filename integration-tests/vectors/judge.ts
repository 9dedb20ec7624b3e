import { sameRecords } from './compare.ts';
import { type Difference, differencesOf, inputOf, type VectorInput } from './differences.ts';
import { type Drops, type Observed, type ObservedStep, runVector } from './run-vector.ts';
import { isSet, type Step, type Vector } from './vector.ts';

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
  const differences = differencesOf(vector);
  const whole = refusalFault(vector, observed) ?? observed.faults[0];
  if (whole !== undefined) {
    const allowing = differences.find(
      ({ allows }) =>
        (allows.refusedThere === true && isTaken(vector, observed)) ||
        isRefusedFor(vector, observed, allows.refusedHere),
    );
    return allowing === undefined ? failed(whole) : verdict(new Set([allowing.name]));
  }
  const shown = new Set<string>();
  const fault = stepsFault(vector, observed.steps, differences, shown);
  if (fault === undefined) return verdict(shown);
  return (await asThere(vector, differences)) ?? failed(fault);
}

function verdict(shown: ReadonlySet<string>): Verdict {
  return { kind: shown.size === 0 ? 'passed' : 'intended', differences: [...shown] };
}

function failed(fault: string): Verdict {
  return { kind: 'failed', differences: [], fault };
}

/** It was refused there, and runs here. */
function isTaken({ error }: Vector, { refused, faults }: Observed): boolean {
  return error !== undefined && refused === undefined && faults.length === 0;
}

/** It ran there, and is refused here, for nothing else. */
function isRefusedFor({ error }: Vector, { refused }: Observed, faults: RegExp | undefined): boolean {
  if (error !== undefined || refused === undefined || faults === undefined) return false;
  const [, ...told] = refused.split('\n');
  return told.length > 0 && told.every((line) => faults.test(line));
}

function refusalFault({ error }: Vector, { refused }: Observed): string | undefined {
  if (error === undefined) return refused === undefined ? undefined : `expected a run, was refused: ${refused}`;
  return refused === undefined ? `expected a refusal at ${error.at}, was taken` : undefined;
}

function stepsFault(
  vector: Vector,
  observed: readonly ObservedStep[],
  differences: readonly Difference[],
  shown: Set<string>,
): string | undefined {
  for (const [index, step] of (vector.steps ?? []).entries()) {
    const input = inputOf({ ...vector, steps: [step] });
    const fault = new StepJudge(step, input, observed[index]!, differences, shown).fault();
    if (fault !== undefined) return `step ${index} ${inputText(step)}: ${fault}`;
  }
  return undefined;
}

function inputText({ out: _out, dropped: _dropped, error: _error, ...input }: Step): string {
  return JSON.stringify(input);
}

/** One step: what it expects, less what the differences allow, and which of them were needed. */
class StepJudge {
  readonly #step: Step;
  readonly #input: VectorInput;
  readonly #observed: ObservedStep;
  readonly #differences: readonly Difference[];
  readonly #shown: Set<string>;

  constructor(
    step: Step,
    input: VectorInput,
    observed: ObservedStep,
    differences: readonly Difference[],
    shown: Set<string>,
  ) {
    this.#step = step;
    this.#input = input;
    this.#observed = observed;
    this.#differences = differences;
    this.#shown = shown;
  }

  fault(): string | undefined {
    const { error } = this.#observed;
    if (this.#step.error !== undefined) return error === undefined ? this.#successFault() : undefined;
    if (error !== undefined) return `failed with ${error}`;
    return this.#outputFault() ?? this.#dropFault();
  }

  #successFault(): string | undefined {
    const allowing = this.#differences.find(({ allows }) => allows.failsThere?.(this.#input));
    if (allowing === undefined) return 'expected an error, found none';
    this.#shown.add(allowing.name);
    return undefined;
  }

  #outputFault(): string | undefined {
    const { out: expected = [] } = this.#step;
    const { out: found } = this.#observed;
    if (sameRecords(expected, found, isSet(this.#step))) return undefined;
    return `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
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
  const shownWith = async (needed: readonly Difference[]): Promise<ReadonlySet<string> | undefined> => {
    const { steps, faults } = await runVector(vector, Object.assign({}, ...needed.map(({ allows }) => allows.asThere)));
    const shown = new Set(needed.map(({ name }) => name));
    const isFaulty = faults.length > 0 || stepsFault(vector, steps, differences, shown) !== undefined;
    return isFaulty ? undefined : shown;
  };
  // with all of them it is as there, or with none
  if ((await shownWith(movers)) === undefined) return undefined;
  for (const needed of subsets(movers)) {
    const shown = await shownWith(needed);
    if (shown !== undefined) return verdict(shown);
  }
  return undefined;
}
