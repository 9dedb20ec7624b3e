import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { bytes, string } from '../schemas/schemas.ts';
import { topic } from '../topology/topology.ts';
import { copyRecords } from './copy-records.ts';
import { readTopic } from './read-topic.ts';

test('rows of a transaction that is decided while they are copied are copied too', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  for (const name of ['from', 'to']) await log.admin.create(name, { partitions: 1 });
  const owner = await log.producer({ transactionalId: 'owner' });
  owner.begin();
  const builder = new BatchBuilder(new Step());
  const key = Buffer.from('last row');
  builder.append(0, key, 0, key.length, key, 0, key.length);
  await owner.append('from', 0, builder.finish());
  const copying = copyRecords(log, 'from', 'to', 0);
  for (let turns = 0; turns < 50; turns++) await systemClock.turn();
  await owner.commit();
  assert.equal(await copying, 1);
  const keys: string[] = [];
  await readTopic(
    log,
    topic('to', { key: string(), value: bytes(), partitions: 1 }),
    (_, each) => void keys.push(each),
  );
  assert.deepEqual(keys, ['last row']);
  await log.close();
});
