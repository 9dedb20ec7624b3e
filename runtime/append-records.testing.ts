import type { Millis } from '../core/ids.ts';
import { type Log, partitionForKey } from '../log/log.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Topic } from '../topology/topology.ts';
import { encodeRecord } from './testing-records.ts';

/** Appends records to the partitions that their keys belong to, one by one. */
export async function appendRecords<K, V>(
  log: Log,
  { name, partitions, keySerde, valueSerde }: Topic<K, V, number>,
  rows: Iterable<readonly [key: K, value: V | null, timestamp: Millis]>,
): Promise<void> {
  const producer = await log.producer({});
  const serdes = { key: keySerde as Serde<unknown>, value: valueSerde as Serde<unknown> };
  for (const [key, value, timestamp] of rows) {
    const { batch, key: bytes } = encodeRecord(serdes, { key, value, timestamp, headers: {} });
    await producer.append(name, partitionForKey(bytes!, 0, bytes!.length, partitions), batch);
  }
  await producer.close();
}
