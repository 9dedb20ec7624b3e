import fc from 'fast-check';
import { randomInt, seededRandom } from '../../core/random.ts';
import { int64, string } from '../../schemas/schemas.ts';
import { topic } from '../../topology/topology.ts';
import type { Datum, TestTaskOptions } from './test-task.ts';

/** A table of numbers, and random updates of it; a quarter of them are deletions. */
export const ROWS = topic('rows', { key: string(), value: int64(), partitions: 1 });

export const rowUpdates = fc.array(
  fc
    .record({
      key: fc.constantFrom('a', 'b', 'é'),
      value: fc.option(fc.nat(9), { freq: 3 }),
      timestamp: fc.nat(20),
    })
    .map((row): Datum => ({ topic: 'rows', ...row })),
  { maxLength: 30, size: 'max' },
);

/** Reads that miss now and then. */
export function missing(seed: number): TestTaskOptions {
  const random = seededRandom(seed);
  return {
    interrupt(step) {
      if (randomInt(random, 9) === 0) step.miss();
    },
  };
}
