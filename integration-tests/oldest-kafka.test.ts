import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OLDEST_KAFKA } from '../cli/kafka/distribution.ts';
import { canStartBrokers } from './support/brokers.ts';
import { GROUP_ROWS } from './verify/group-rows.ts';
import { createKafkaWorld } from './verify/kafka-world.ts';
import { NETWORK_ROWS } from './verify/network-rows.ts';
import { PROCESS_ROWS } from './verify/process-rows.ts';
import { runRow } from './verify/run-row.ts';

/**
 * Exactly once on the oldest release that is taken: brokers whose transactions have no epoch each. Processes are killed
 * in the commit and come and go, and requests arrive behind their own retries; every result is compared.
 */
const REPEATS = { '1 K4': 1, '6': 2, '19 EndTxn late': 10, '19 offsets late': 10 };

if (await canStartBrokers(OLDEST_KAFKA)) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-oldest-'));
  const world = await createKafkaWorld(folder, 1, { release: OLDEST_KAFKA });
  after(async () => {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const row of [...PROCESS_ROWS, ...GROUP_ROWS, ...NETWORK_ROWS]) {
    const repeats = (REPEATS as { readonly [id: string]: number })[row.id];
    if (repeats === undefined) continue;
    test(`Kafka ${OLDEST_KAFKA}: ${row.title}`, { timeout: 600_000 }, async () => {
      const { problems, faults, logs } = await runRow(
        world,
        row,
        repeats,
        1,
        row.id.toLowerCase().replaceAll(' ', '-'),
      );
      assert.deepEqual(problems, [], logs.join('\n'));
      assert.deepEqual(new Set(Object.values(faults)), new Set([0]));
    });
  }
}
