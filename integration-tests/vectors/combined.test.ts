import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './judge.ts';
import { type OutputRecord, readVectors, type Step, type Vector } from './vector.ts';

/** Repartitions, windows, joins, suppression, tables, headers and nulls, in ways the other files do not combine them. */
const { vectors } = readVectors(new URL('./kstreams-combined.json', import.meta.url));
const foreign = readVectors(new URL('./kstreams-foreign.json', import.meta.url));

for (const vector of vectors) {
  test(`${vector.id}: ${vector.title}`, async () => {
    const { kind, fault } = await judge(vector);
    assert.ok(kind === 'passed' || kind === 'intended', fault);
  });
}

/** What a vector expects, wrong in one place: its last output, or the count of drops of its last step. */
const WRONGS: { readonly [name: string]: (step: Step) => Step } = {
  'another value': (step) => withOut(step, (out) => ({ ...out, v: `${out.v}?` })),
  'another time': (step) => withOut(step, (out) => ({ ...out, ts: out.ts + 1 })),
  'a header': (step) => withOut(step, (out) => ({ ...out, h: `${out.h}?` })),
  'one too few': (step) => ({ ...step, out: step.out!.slice(0, -1) }),
  'one too many': (step) => ({ ...step, out: [...step.out!, step.out!.at(-1)!] }),
  'a drop more': (step) => ({ ...step, dropped: (step.dropped ?? 0) + 1 }),
};

function withOut(step: Step, change: (out: OutputRecord) => OutputRecord): Step {
  return { ...step, out: [...step.out!.slice(0, -1), change(step.out!.at(-1)!)] };
}

test('what may differ may differ in nothing else', async () => {
  // what is refused here puts nothing out
  const tried = new Set<string>(['unlike-windows']);
  for (const vector of [...vectors, ...foreign.vectors]) {
    const differences = (await judge(vector)).differences.join();
    if (differences === '' || tried.has(differences)) continue;
    tried.add(differences);
    const at = vector.steps!.findLastIndex(({ out = [] }) => out.length > 0);
    if (at < 0) continue;
    for (const [name, change] of Object.entries(WRONGS)) {
      const wrong: Vector = { ...vector, steps: vector.steps!.map((step, i) => (i === at ? change(step) : step)) };
      assert.equal((await judge(wrong)).kind, 'failed', `${vector.id} with ${name}`);
    }
  }
});
