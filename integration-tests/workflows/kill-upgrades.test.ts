import { test } from 'node:test';
import { upgradeAtRandom } from './upgrade-at-random.ts';

test(
  'killed at random while an execution is upgraded again and again, no record is lost or doubled',
  {
    timeout: 600_000,
  },
  (t) => upgradeAtRandom(t, { records: 1500, upgrades: 8, kills: 6, lifeMs: 400 }),
);

test('and with executions that nodes have started', { timeout: 600_000 }, (t) =>
  upgradeAtRandom(t, { records: 600, upgrades: 4, kills: 4, lifeMs: 400, within: true }),
);
