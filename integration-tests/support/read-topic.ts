import type { Log } from '../../log/log.ts';
import { readTopic as visitTopic } from '../../runtime/runtime.ts';
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
  await visitTopic(log, topic, (value, key, { timestamp, partition }) => {
    records.push({ key: toPlain(key), value: value === null ? (null as V) : toPlain(value), timestamp, partition });
  });
  return records;
}
