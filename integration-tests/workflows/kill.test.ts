import { test } from 'node:test';
import { killAtRandom } from './kill-at-random.ts';

test('killed at random while 1,000 executions run, each ends once with the right result', {
  timeout: 600_000,
}, async (t) => {
  await killAtRandom(t, { executions: 1000, kills: 4 });
});
