import { ByteWriter } from '../../core/bytes.ts';
import { Step } from '../../core/step.ts';
import type { Topic } from '../../index.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { type Log, type LogProducer, partitionForKey } from '../../log/log.ts';
import { type Event, makeEvent } from './events.ts';
import { auctions, bids, PARTITIONS, persons } from './topics.ts';

const BATCH_BYTES = 262_144;

/** The events of a sequence, made anew for each who asks. */
export function* events(count: number, seed: number): Generator<Event> {
  for (let n = 0; n < count; n++) yield makeEvent(n, seed);
}

/** Writes all events into their topics. */
export async function load(log: Log, count: number, seed: number): Promise<void> {
  for (const { name } of [persons, auctions, bids]) await log.admin.create(name, { partitions: PARTITIONS });
  const producer = await log.producer({});
  const people = new TopicWriter(producer, persons);
  const lots = new TopicWriter(producer, auctions);
  const offers = new TopicWriter(producer, bids);
  for (const event of events(count, seed)) {
    const full =
      event.kind === 'person'
        ? people.write(event.person.id, event.person, event.person.time)
        : event.kind === 'auction'
          ? lots.write(event.auction.id, event.auction, event.auction.time)
          : offers.write(event.bid.auction, event.bid, event.bid.time);
    if (full !== undefined) await full;
  }
  for (const writer of [people, lots, offers]) await writer.flush();
  await producer.close();
}

/** Batches of one topic. */
class TopicWriter<V> {
  readonly #producer: LogProducer;
  readonly #topic: Topic<number, V, number>;
  readonly #builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(new Step()));
  readonly #key = new ByteWriter();
  readonly #value = new ByteWriter();

  constructor(producer: LogProducer, topic: Topic<number, V, number>) {
    this.#producer = producer;
    this.#topic = topic;
  }

  /** Answers a promise where a batch was full. */
  write(id: number, record: V, timestamp: number): Promise<unknown> | undefined {
    const key = this.#key;
    const value = this.#value;
    key.clear();
    value.clear();
    this.#topic.keySerde.encode(id, key);
    this.#topic.valueSerde.encode(record, value);
    const partition = partitionForKey(key.bytes, 0, key.at, PARTITIONS);
    const builder = this.#builders[partition]!;
    builder.append(timestamp, key.bytes, 0, key.at, value.bytes, 0, value.at);
    return builder.size > BATCH_BYTES ? this.#append(partition) : undefined;
  }

  async flush(): Promise<void> {
    for (const [partition, builder] of this.#builders.entries()) if (builder.count > 0) await this.#append(partition);
  }

  #append(partition: number): Promise<unknown> {
    return this.#producer.append(this.#topic.name, partition, this.#builders[partition]!.finish());
  }
}
