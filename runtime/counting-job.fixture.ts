import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { type Log, type LogProducer, partitionForKey } from '../log/log.ts';
import { int64, string } from '../schemas/schemas.ts';
import { topology as defineTopology, topic } from '../topology/topology.ts';

/** A count per key that goes on as long as it is fed: what it puts out tells of every change that its store has seen. */
export const PARTITIONS = 4;
const KEYS = 5000;
const BATCH_RECORDS = 500;
const KEYED = { key: string(), value: int64(), partitions: PARTITIONS } as const;

export const events = topic('events', KEYED);
export const counts = topic('counts', KEYED);

export const topology = defineTopology('counting');
topology.stream(events).groupByKey().count({ store: 'by-key' }).toStream().to(counts);

const keyOf = (n: number) => `key-${(n * 7919) % KEYS}`;

/** Writes events, numbered from 0. */
export class EventFeeder {
  readonly #producer: LogProducer;
  fed = 0;

  private constructor(producer: LogProducer) {
    this.#producer = producer;
  }

  static async open(log: Log): Promise<EventFeeder> {
    await log.admin.create(events.name, { partitions: PARTITIONS });
    return new EventFeeder(await log.producer({}));
  }

  async feed(records: number): Promise<void> {
    const end = this.fed + records;
    while (this.fed < end) {
      const next = Math.min(end, this.fed + BATCH_RECORDS);
      const builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(new Step()));
      for (let n = this.fed; n < next; n++) append(builders, n);
      for (const [partition, builder] of builders.entries()) {
        if (builder.count > 0) await this.#producer.append(events.name, partition, builder.finish());
      }
      this.fed = next;
    }
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

function append(builders: readonly BatchBuilder[], n: number): void {
  const key = Buffer.from(keyOf(n));
  const value = Buffer.alloc(8);
  value.writeBigInt64BE(BigInt(n));
  builders[partitionForKey(key, 0, key.length, PARTITIONS)]!.append(n, key, 0, key.length, value, 0, value.length);
}

/** Every update of every count, sorted. */
export function expectedUpdates(fed: number): readonly string[] {
  const counted = new Map<string, number>();
  const updates: string[] = [];
  for (let n = 0; n < fed; n++) {
    const count = (counted.get(keyOf(n)) ?? 0) + 1;
    counted.set(keyOf(n), count);
    updates.push(`${keyOf(n)} ${count}`);
  }
  return updates.sort();
}
