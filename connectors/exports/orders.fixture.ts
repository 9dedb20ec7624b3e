import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder, type Compression } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { json, string } from '../../schemas/schemas.ts';
import { topic } from '../../topology/topology.ts';

export const orders = topic('orders', {
  key: string(),
  value: json<{ id: number; total: number } | null>(),
  partitions: 2,
});

/** A log with the topic, and a way to put records into it. */
export async function orderLog(compression: Compression = 'none'): Promise<{
  readonly log: Log;
  put(partition: number, ...ids: readonly number[]): Promise<void>;
}> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(orders.name, { partitions: orders.partitions });
  return {
    log,
    async put(partition, ...ids) {
      const step = new Step();
      const builder = new BatchBuilder(step);
      step.begin();
      for (const id of ids) {
        const bytes = Buffer.from(`k${Math.abs(id)}${id < 0 ? '' : JSON.stringify({ id, total: id * 10 })}`);
        const middle = `k${Math.abs(id)}`.length;
        builder.append(1000 + Math.abs(id), bytes, 0, middle, bytes, id < 0 ? -1 : middle, bytes.length);
      }
      step.settle();
      const producer = await log.producer({});
      await producer.append(orders.name, partition, builder.finish(compression));
      await producer.close();
    },
  };
}
