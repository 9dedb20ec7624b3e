import { isFlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { Topic } from '../topology/topology.ts';

/** Where a record stood. */
export interface ReadAt {
  readonly timestamp: Millis;
  readonly partition: number;
  readonly position: number;
}

/**
 * Reads every committed record of a topic, from its start to where it ends now, partition by partition. Waits for
 * transactions that are open there: what was committed behind the first record of one is seen when it is decided, as that
 * of a process that was killed is once its timeout is over. Key and value are views, valid during the call; `toPlain`
 * copies them. Answers the number of records.
 */
export async function readTopic<K, V>(
  log: Log,
  topic: Topic<K, V, number>,
  visit: (value: V | null, key: K, at: ReadAt) => void,
): Promise<number> {
  const reader = log.reader({ isolation: 'committed' });
  const view = new BatchView();
  const keyView = topic.keySerde.view();
  const valueView = topic.valueSerde.view();
  let records = 0;
  for (let partition = 0; partition < topic.partitions; partition++) {
    const { start, end } = await log.admin.bounds(topic.name, partition);
    reader.assign([{ topic: topic.name, partition, position: start }]);
    for (let next = start; next < end; ) {
      for (const fetched of await reader.fetch(100)) {
        for (let b = 0; b < fetched.starts.length; b++) {
          view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
          for (let i = 0; i < view.count; i++) {
            const { bytes } = view;
            let key: K;
            let value: V | null;
            try {
              key = view.keyStarts[i]! < 0 ? (null as K) : keyView(bytes, view.keyStarts[i]!, view.keyEnds[i]!);
              value = view.valueStarts[i]! < 0 ? null : valueView(bytes, view.valueStarts[i]!, view.valueEnds[i]!);
            } catch (thrown) {
              if (!isFlowError(thrown, 'registry.unknown')) throw thrown;
              await Promise.all([topic.keySerde.registered?.fetch?.(), topic.valueSerde.registered?.fetch?.()]);
              i--;
              continue;
            }
            visit(value, key, { timestamp: view.timestamps[i]!, partition, position: view.positions[i]! });
            records++;
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
