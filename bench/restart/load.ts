import { ByteWriter } from '../../core/bytes.ts';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { partitionForKey } from '../../log/log.ts';
import { keys, PARTITIONS } from './topology.ts';

const BATCH_RECORDS = 20_000;
const VALUE = Buffer.alloc(32, 'v');

/** Writes one record for each key from `from` on to a topic, which is made where it is missing. */
export async function load(brokers: string, topic: string, from: number, count: number): Promise<void> {
  const log = await createKafkaLog({ brokers, clock: systemClock, random: seededRandom(1) });
  try {
    if ((await log.admin.describe(topic)) === undefined) await log.admin.create(topic, { partitions: PARTITIONS });
    const producer = await log.producer({});
    const out = new ByteWriter();
    const now = systemClock.now();
    for (let n = 0; n < count; ) {
      const step = new Step();
      const builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(step));
      step.begin();
      for (const end = Math.min(count, n + BATCH_RECORDS); n < end; n++) {
        out.clear();
        keys.encode(`key-${String(from + n).padStart(9, '0')}`, out);
        const { bytes, at } = out;
        builders[partitionForKey(bytes, 0, at, PARTITIONS)]!.append(now, bytes, 0, at, VALUE, 0, VALUE.length);
      }
      step.settle();
      const filled = builders.flatMap((builder, partition) => (builder.count > 0 ? [{ builder, partition }] : []));
      await Promise.all(filled.map(({ builder, partition }) => producer.append(topic, partition, builder.finish())));
    }
    await producer.close();
  } finally {
    await log.close();
  }
}
