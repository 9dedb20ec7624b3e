import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { compileExpression } from './expressions.ts';
import { RANDOM_OPTIONS, RandomExpressions } from './random.fixture.ts';

/** Milliseconds for random cases: more by this variable. */
const BUDGET = Number(process.env['NODEFLOW_FUZZ_MS'] ?? 1500);

function outcome(run: () => unknown): unknown {
  try {
    return { answer: run() };
  } catch (thrown) {
    if (!(thrown instanceof FlowError)) throw thrown;
    return { failure: thrown.message };
  }
}

test('the compiled form does what the walk over the tree does, on random expressions and scopes', (t) => {
  const seed = Number(process.env['NODEFLOW_FUZZ_SEED'] ?? 20261128);
  t.diagnostic(`seed ${seed}`);
  const random = new RandomExpressions(seededRandom(seed));
  const counts = { sources: 0, faults: 0, answers: 0, failures: 0 };
  const end = performance.now() + BUDGET;
  while (performance.now() < end || counts.sources < 300) {
    const source = random.source();
    counts.sources++;
    const { expression } = compileExpression(source, RANDOM_OPTIONS);
    if (expression === undefined) {
      counts.faults++;
      continue;
    }
    for (let i = 0; i < 8; i++) {
      const scope = random.scope();
      const before = structuredClone(scope);
      const compiled = outcome(() => expression.evaluate(scope));
      assert.deepEqual(
        compiled,
        outcome(() => expression.interpret(scope)),
        `seed ${seed}: ${source}`,
      );
      assert.deepEqual(scope, before, `seed ${seed}: ${source} changed its scope`);
      if ('answer' in (compiled as object)) counts.answers++;
      else counts.failures++;
    }
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.answers > counts.sources && counts.failures > counts.sources / 4, JSON.stringify(counts));
  assert.ok(counts.faults < counts.sources * 0.6, JSON.stringify(counts));
});
