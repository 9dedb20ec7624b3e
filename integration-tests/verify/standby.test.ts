import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { testBrokers } from '../support/brokers.ts';
import { createKafkaWorld } from './kafka-world.ts';
import { runRow } from './run-row.ts';
import { STANDBY_ROWS } from './standby-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-standby-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const brokers = await testBrokers();
if (brokers !== undefined) {
  test('three processes with standbys, restarted one by one under load, give an exact result', {
    timeout: 600_000,
  }, async () => {
    const world = await createKafkaWorld(folder, 1);
    try {
      const row = STANDBY_ROWS.find(({ id }) => id === 'standby stop')!;
      const { problems, records, faults, counters } = await runRow(world, row, 1, 5, 'standby-test');
      assert.deepEqual(problems, []);
      assert.ok(records > 5000, `${records} records`);
      assert.deepEqual(Object.values(faults), [0, 0, 0, 0, 0, 0]);
      assert.equal(counters.faults, 3);
    } finally {
      await world.close();
    }
  });
}
