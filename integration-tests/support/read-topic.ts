import { BatchView } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { toPlain } from '../../schemas/schemas.ts';
import type { Topic } from '../../topology/topology.ts';

export interface ReadRecord<K, V> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  readonly partition: number;
}

/** Every committed record of a topic as objects, partition by partition. */
export async function readTopic<K, V>(log: Log, topic: Topic<K, V, number>): Promise<readonly ReadRecord<K, V>[]> {
  const records: ReadRecord<K, V>[] = [];
  const reader = log.reader({ isolation: 'committed' });
  const view = new BatchView();
  for (let partition = 0; partition < topic.partitions; partition++) {
    const { start, stable } = await log.admin.bounds(topic.name, partition);
    if (start === stable) continue;
    reader.assign([{ topic: topic.name, partition, position: start }]);
    for (let next = start; next < stable; ) {
      for (const fetched of await reader.fetch(100)) {
        for (let b = 0; b < fetched.starts.length; b++) {
          view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
          for (let i = 0; i < view.count; i++) {
            records.push({
              key: toPlain(topic.keySerde.decode(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!)),
              value: toPlain(topic.valueSerde.decode(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!)),
              timestamp: view.timestamps[i]!,
              partition,
            });
          }
        }
        next = fetched.next;
        fetched.release();
      }
    }
    reader.unassign([{ topic: topic.name, partition }]);
  }
  await reader.close();
  return records;
}
