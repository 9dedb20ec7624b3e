import { type Entry, OUTPUTS, type OutputName, type Results } from './oracle.ts';

/** What can be wrong with an output; the words of the report. */
export const FAULTS = ['lost', 'doubled', 'inverted', 'wrong', 'foreign', 'positions'] as const;
export type Fault = (typeof FAULTS)[number];

export interface Verdict {
  /** How often each fault was found; for `wrong`, on how many keys. */
  readonly counts: { readonly [fault in Fault]: number };
  /** The first few, in words. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 12;

/** Outputs in which a task writes every record of a partition in the order of its input. */
const ORDERED: readonly OutputName[] = ['copy', 'chain', 'joined'];

/**
 * Compares what is there with what must be. `keyOf` answers the input key of a record, for the order of records that
 * were given another key.
 */
export function check(actual: Results, expected: Results, keyOf: (id: string) => string | undefined): Verdict {
  const findings = new Findings();
  for (const name of OUTPUTS) {
    if (name === 'regrouped') checkRegrouped(actual.outputs[name], expected.outputs[name], keyOf, findings);
    else checkOutput(name, actual.outputs[name], expected.outputs[name], findings);
  }
  actual.positions.forEach((position, partition) => {
    const wanted = expected.positions[partition];
    if (position !== wanted) findings.add('positions', `partition ${partition} stands at ${position}, not ${wanted}`);
  });
  return findings.verdict();
}

export function isGood({ counts }: Verdict): boolean {
  return FAULTS.every((fault) => counts[fault] === 0);
}

class Findings {
  readonly #counts: Record<Fault, number> = { lost: 0, doubled: 0, inverted: 0, wrong: 0, foreign: 0, positions: 0 };
  readonly #examples: string[] = [];
  readonly #wrongKeys = new Set<string>();

  add(fault: Fault, words: string): void {
    this.#counts[fault]++;
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push(`${fault}: ${words}`);
  }

  /** A key counts once in each output. */
  addWrong(output: string, key: string, words: string): void {
    const name = `${output} ${key}`;
    if (this.#wrongKeys.has(name)) return;
    this.#wrongKeys.add(name);
    this.add('wrong', `${output}: ${words}`);
  }

  verdict(): Verdict {
    return { counts: this.#counts, examples: this.#examples };
  }
}

function place(entry: Entry): string {
  return `${entry.partition}/${entry.id}`;
}

function checkOutput(name: OutputName, actual: readonly Entry[], expected: readonly Entry[], findings: Findings): void {
  const wanted = new Map(expected.map((entry, index) => [place(entry), { entry, index }]));
  const found = new Set<string>();
  /** How far each partition has come, as an index of `expected`. */
  const furthest = new Map<number, number>();
  for (const entry of actual) {
    const want = wanted.get(place(entry));
    const words = `${name} ${entry.id} of ${entry.key} in partition ${entry.partition}`;
    if (want === undefined) {
      findings.add('foreign', words);
      continue;
    }
    if (found.has(place(entry))) {
      findings.add('doubled', words);
      continue;
    }
    found.add(place(entry));
    if (entry.text !== want.entry.text) {
      findings.addWrong(name, entry.key, `${entry.id} says ${entry.text}, not ${want.entry.text}`);
    }
    if (!ORDERED.includes(name)) continue;
    if (want.index < (furthest.get(entry.partition) ?? -1)) findings.add('inverted', words);
    else furthest.set(entry.partition, want.index);
  }
  for (const [at, { entry }] of wanted) if (!found.has(at)) findings.add('lost', `${name} ${entry.id} of ${entry.key}`);
}

/** Groups mix what comes of several partitions: each record once, counts without a gap, order within an input key. */
function checkRegrouped(
  actual: readonly Entry[],
  expected: readonly Entry[],
  keyOf: (id: string) => string | undefined,
  findings: Findings,
): void {
  const wanted = new Map(expected.map((entry, index) => [entry.id, { entry, index }]));
  const found = new Set<string>();
  const counts = new Map<string, number>();
  const furthest = new Map<string, number>();
  const homes = new Map<string, number>();
  for (const entry of actual) {
    const want = wanted.get(entry.id);
    const words = `regrouped ${entry.id} of ${entry.key} in partition ${entry.partition}`;
    const home = homes.get(entry.key) ?? entry.partition;
    homes.set(entry.key, home);
    if (want === undefined || want.entry.key !== entry.key || home !== entry.partition) {
      findings.add('foreign', words);
      continue;
    }
    const count = Number(entry.text);
    const before = counts.get(entry.key) ?? 0;
    counts.set(entry.key, Math.max(before, count));
    if (found.has(entry.id)) {
      findings.add('doubled', words);
      continue;
    }
    found.add(entry.id);
    if (count !== before + 1) findings.addWrong('regrouped', entry.key, `${entry.id} counts ${count} behind ${before}`);
    const origin = `${entry.key} ${keyOf(entry.id)}`;
    if (want.index < (furthest.get(origin) ?? -1)) findings.add('inverted', words);
    else furthest.set(origin, want.index);
  }
  for (const [id, { entry }] of wanted) if (!found.has(id)) findings.add('lost', `regrouped ${id} of ${entry.key}`);
}
