import { test } from 'node:test';
import { simulate } from './testing/simulation.ts';

/** `NODEFLOW_SEEDS` takes more of them. */
const SEEDS = Number(process.env['NODEFLOW_SEEDS'] ?? 2000);

test('whole executions under crashes, duplicates and jumping clocks end once and rightly', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      await simulate(seed);
    } catch (thrown) {
      throw new Error(`seed ${seed}`, { cause: thrown });
    }
  }
});
