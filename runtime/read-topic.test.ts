import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../core/bytes.ts';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { bytes, string } from '../schemas/schemas.ts';
import { topic } from '../topology/topology.ts';
import { readTopic } from './read-topic.ts';

const words = topic('words', { key: string(), value: bytes(), partitions: 1 });

function batchOf(key: string): Bytes {
  const builder = new BatchBuilder(new Step());
  const encoded = Buffer.from(key);
  builder.append(0, encoded, 0, encoded.length, encoded, 0, encoded.length);
  return builder.finish();
}

test('what stands behind an open transaction is read when that is decided', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(words.name, { partitions: 1 });
  const left = await log.producer({ transactionalId: 'left open' });
  left.begin();
  await left.append(words.name, 0, batchOf('aborted'));
  const other = await log.producer({});
  await other.append(words.name, 0, batchOf('committed'));
  const keys: string[] = [];
  let read = false;
  const reading = readTopic(log, words, (_, key) => void keys.push(key)).finally(() => {
    read = true;
  });
  for (let turns = 0; turns < 50; turns++) await systemClock.turn();
  assert.equal(read, false);
  await left.abort();
  assert.equal(await reading, 1);
  assert.deepEqual(keys, ['committed']);
  await log.close();
});
