import { isFlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { Topic } from '../topology/topology.ts';
import { eachRecord } from './each-record.ts';

/** Where a record stood. */
export interface ReadAt {
  readonly timestamp: Millis;
  readonly partition: number;
  readonly position: number;
}

/**
 * Reads every committed record of a topic, partition by partition, each as {@link eachRecord} does. Key and value are
 * views, valid during the call; `toPlain` copies them. Answers the number of records.
 */
export async function readTopic<K, V>(
  log: Log,
  topic: Topic<K, V, number>,
  visit: (value: V | null, key: K, at: ReadAt) => void,
): Promise<number> {
  const keyView = topic.keySerde.view();
  const valueView = topic.valueSerde.view();
  let records = 0;
  for (let partition = 0; partition < topic.partitions; partition++) {
    const read = (view: BatchView, i: number): void | Promise<void> => {
      const { bytes } = view;
      let key: K;
      let value: V | null;
      try {
        key = view.keyStarts[i]! < 0 ? (null as K) : keyView(bytes, view.keyStarts[i]!, view.keyEnds[i]!);
        value = view.valueStarts[i]! < 0 ? null : valueView(bytes, view.valueStarts[i]!, view.valueEnds[i]!);
      } catch (thrown) {
        if (!isFlowError(thrown, 'registry.unknown')) throw thrown;
        return schemasOf(topic).then(() => read(view, i));
      }
      visit(value, key, { timestamp: view.timestamps[i]!, partition, position: view.positions[i]! });
      records++;
      return undefined;
    };
    await eachRecord(log, topic.name, partition, read);
  }
  return records;
}

/** Asks for the schemas of writers that were not known. */
async function schemasOf<K, V>({ keySerde, valueSerde }: Topic<K, V, number>): Promise<void> {
  await Promise.all([keySerde.registered?.fetch?.(), valueSerde.registered?.fetch?.()]);
}
