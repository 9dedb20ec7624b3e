import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { simulate } from './testing/simulation.ts';

/** As many seeds as fit. */
const BUDGET_MS = 20_000;
const MOST_SEEDS = 5000;

test('whole executions under crashes, duplicates and jumping clocks end once and rightly', async (t) => {
  const began = systemClock.monotonic();
  let seed = 1;
  for (; seed <= MOST_SEEDS && systemClock.monotonic() - began < BUDGET_MS; seed++) {
    try {
      await simulate(seed);
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
  }
  t.diagnostic(`${seed - 1} seeds`);
});
