import type { TopicPartition } from '../../core/ids.ts';
import { ask, type Request } from './ask.ts';
import type { BrokerId, Cluster } from './cluster.ts';
import { failureOf } from './error-codes.ts';
import { retry } from './retry.ts';

const API = 61;
const VERSION = 0;
const UNKNOWN_TOPIC = 3;
const TOPIC_AUTHORIZATION_FAILED = 29;
/** What nobody lets us look at, or nobody knows of, cannot be judged. */
const PASSED_OVER: readonly number[] = [UNKNOWN_TOPIC, TOPIC_AUTHORIZATION_FAILED];

/** A partition in which a transaction is open, and the epoch that it was written under. */
export interface Hanging extends TopicPartition {
  readonly epoch: number;
}

/**
 * Partitions of these topics in which a producer has a transaction open. Ask when its coordinator has none, as when it
 * has just given the producer id: then nobody will ever end these. Brokers leave such behind. One that decides a
 * transaction while a partition has no leader (it has itself just been started, and is not yet let in) takes the
 * partition for deleted, and completes the transaction without its marker: TransactionMarkerChannelManager, "likely
 * deleted already and hence can be skipped", seen on 4.3.1. Committed readers then stand still there; and what the same
 * producer commits next would commit the old records too.
 */
export async function hangingPartitions(
  cluster: Cluster,
  topics: readonly string[],
  producerId: number,
): Promise<readonly Hanging[]> {
  const asked = {
    stale() {
      for (const topic of topics) cluster.stale({ topic });
    },
  };
  return retry(
    cluster,
    `transactions left open by producer ${producerId}`,
    () => look(cluster, topics, producerId),
    asked,
  );
}

async function look(cluster: Cluster, topics: readonly string[], producerId: number): Promise<readonly Hanging[]> {
  const led: (TopicPartition & { readonly broker: BrokerId })[] = [];
  for (const topic of topics) {
    const partitions = (await cluster.topic(topic))?.partitions ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      const { broker } = await cluster.leader(topic, partition);
      led.push({ broker, topic, partition });
    }
  }
  const found: Hanging[] = [];
  for (const [broker, partitions] of Map.groupBy(led, (each) => each.broker)) {
    for (const { topic, partition, errorCode, open } of await ask(
      cluster,
      broker,
      'transactions',
      describeProducers(partitions),
    )) {
      if (PASSED_OVER.includes(errorCode)) continue;
      if (errorCode !== 0) throw failureOf(errorCode, `producers of ${topic}`);
      const epoch = open.get(producerId);
      if (epoch !== undefined) found.push({ topic, partition, epoch });
    }
  }
  return found;
}

interface Producers extends TopicPartition {
  readonly errorCode: number;
  /** Producers with a transaction open, and their epochs. */
  readonly open: ReadonlyMap<number, number>;
}

function describeProducers(partitions: readonly TopicPartition[]): Request<readonly Producers[]> {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return {
    api: API,
    version: VERSION,
    write: (writer) => {
      writer.appendArray([...topics], (_, [topic, list]) => {
        writer.appendString(topic).appendArray(list, (__, { partition }) => writer.appendInt32(partition), true, false);
      });
    },
    read: (reader) => {
      reader.readInt32();
      const found: Producers[] = [];
      reader.readArray(() => {
        const topic = reader.readString();
        reader.readArray(() => {
          const partition = reader.readInt32();
          const errorCode = reader.readInt16();
          reader.readNullableString();
          const open = new Map<number, number>();
          reader.readArray(() => {
            const id = Number(reader.readInt64());
            const epoch = reader.readInt32();
            reader.readInt32();
            reader.readInt64();
            reader.readInt32();
            if (reader.readInt64() >= 0n) open.set(id, epoch);
          });
          found.push({ topic, partition, errorCode, open });
        });
      });
      return found;
    },
  };
}
