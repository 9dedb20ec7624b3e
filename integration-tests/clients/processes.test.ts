import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canStartBrokers } from '../support/brokers.ts';
import { confluentLibrary } from '../support/confluent.ts';
import { createKafkaWorld } from '../verify/kafka-world.ts';
import type { Row } from '../verify/rows.ts';
import { runRow } from '../verify/run-row.ts';

/** Processes that share the work by librdkafka's groups and transactions; each result is compared. */
const SHARED: Row = {
  id: 'confluent shared',
  title: 'three processes on the driver confluent: one is killed in a commit, one is stopped, others take their places',
  worlds: ['kafka'],
  repeats: 1,
  needs: ['faults', 'joins', 'aborted'],
  async run(trial, repeats) {
    const steady = await trial.start({ slot: 0 });
    await trial.works(steady);
    for (let i = 0; i < repeats; i++) {
      const victim = await trial.start({ slot: 1, failpoint: 'commit.positions:5:kill' });
      const guest = await trial.start({ slot: 2 });
      await trial.dies(victim);
      await trial.recovered();
      await trial.works(guest);
      trial.faults++;
      await trial.stop(guest);
      await trial.recovered();
    }
  },
};

if ((await canStartBrokers()) && (await confluentLibrary()) !== undefined) {
  test(SHARED.title, { timeout: 600_000 }, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'nodeflow-confluent-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const world = await createKafkaWorld(folder, 1, { driver: 'confluent' });
    after(() => world.close());
    const { problems, faults, records, recoveryMs, logs } = await runRow(world, SHARED, SHARED.repeats, 1, 'confluent');
    context.diagnostic(`${records} records; went on after ${recoveryMs?.p50} ms, ${recoveryMs?.worst} ms at most`);
    assert.deepEqual(problems, [], logs.join('\n'));
    assert.deepEqual(new Set(Object.values(faults)), new Set([0]));
  });
}
