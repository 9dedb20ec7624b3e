import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Step } from '../core/step.ts';
import { Outputs } from './outputs.ts';

const NONE = Buffer.alloc(0);

/** Writes one record to each topic, in one step. */
function write(outputs: Outputs, step: Step, topics: readonly string[], undone = false): void {
  step.begin();
  for (const topic of topics) outputs.builder(topic, 0).append(0, NONE, -1, -1, NONE, 0, 0);
  if (undone) step.rollback();
  else step.settle();
}

test('batches come in the order in which something was first written to them', () => {
  const step = new Step();
  const outputs = new Outputs(step, 1000);
  const taken = () => outputs.take().map(({ topic, records }) => `${topic} ${records}`);
  write(outputs, step, ['a', 'b', 'c']);
  outputs.seal(true);
  assert.deepEqual(taken(), ['a 1', 'b 1', 'c 1']);
  write(outputs, step, ['a', 'b'], true);
  write(outputs, step, ['c', 'b']);
  write(outputs, step, ['a', 'b', 'c']);
  outputs.seal(true);
  assert.deepEqual(taken(), ['c 2', 'b 2', 'a 1']);
  outputs.seal(true);
  assert.deepEqual(taken(), []);
});
