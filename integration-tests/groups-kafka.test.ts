import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canStartBrokers } from './support/brokers.ts';
import { GROUP_ROWS } from './verify/group-rows.ts';
import { createKafkaWorld } from './verify/kafka-world.ts';
import { runRow } from './verify/run-row.ts';

const REPEATS = { kept: 2, 'kept open': 1, static: 2, 'static twin': 1 };

// Rows of the verifier that tell of groups: processes of the job on a real broker, every result compared.
if (await canStartBrokers()) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-groups-'));
  const world = await createKafkaWorld(folder, 1);
  after(async () => {
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [id, repeats] of Object.entries(REPEATS)) {
    const row = GROUP_ROWS.find((each) => each.id === id)!;
    test(row.title, { timeout: 600_000 }, async (context) => {
      const { problems, pauseMs, gapMs, faults, logs } = await runRow(world, row, repeats, 1, id.replace(' ', '-'));
      context.diagnostic(`longest pause at most ${pauseMs} ms; kept tasks showed nothing for ${gapMs ?? '-'} ms`);
      assert.deepEqual(problems, [], logs.join('\n'));
      assert.deepEqual(new Set(Object.values(faults)), new Set([0]));
    });
  }
}
