import assert from 'node:assert/strict';
import { isFlowError } from '../core/errors.ts';
import { type Topology, topology } from './topology.ts';

/** Holds that a topology is refused, with as many faults as are expected and in these words. */
export function refused(define: (t: Topology) => unknown, ...expected: readonly RegExp[]): void {
  const t = topology('app');
  define(t);
  assert.throws(
    () => t.build(),
    (thrown: unknown) => {
      assert.ok(isFlowError(thrown, 'plan.invalid'));
      assert.equal(thrown.message.split('\n').length - 1, expected.length, thrown.message);
      for (const words of expected) assert.match(thrown.message, words);
      return true;
    },
  );
}
