import { ByteWriter } from '../../core/bytes.ts';
import { isFlowError } from '../../core/errors.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { type Log, type LogProducer, partitionForKey } from '../../log/log.ts';
import type { Serde } from '../../schemas/schemas.ts';
import { makeLast, makeRecord, makeTable } from './input.ts';
import { type Job, PARTITIONS } from './topology.ts';

interface Fed<V> {
  readonly key: string;
  readonly value: V;
  readonly at: number;
}

const BATCH_RECORDS = 500;
/** Bytes in which requests of whoever feeds can be told from those of the job. */
export const FEEDER = 'verify-feeder';

/** Writes the input, in transactions of its own, so that after an unknown outcome it can look what is there. */
export class Feeder {
  readonly #log: Log;
  readonly #job: Job;
  readonly #seed: number;
  #producer: LogProducer | undefined;
  /** Records known to be in the input. */
  fed: number;

  constructor(log: Log, job: Job, seed: number, fed: number) {
    this.#log = log;
    this.#job = job;
    this.fed = fed;
    this.#seed = seed;
  }

  async createTopics(): Promise<void> {
    for (const { name } of [this.#job.topics.input, this.#job.topics.table]) {
      if ((await this.#log.admin.describe(name)) === undefined) {
        await this.#log.admin.create(name, { partitions: PARTITIONS });
      }
    }
  }

  async feedTable(): Promise<void> {
    const rows = makeTable(this.#seed).map(({ key, factor }) => ({ key, value: { factor }, at: 0 }));
    await this.#write(this.#job.topics.table, rows);
  }

  /** Brings the input to so many records. */
  async feedTo(count: number): Promise<void> {
    while (this.fed < count) {
      const upTo = Math.min(count, this.fed + BATCH_RECORDS);
      const records: Fed<{ id: number; group: string; amount: number }>[] = [];
      for (let n = this.fed; n < upTo; n++) records.push(toFed(makeRecord(this.#seed, n)));
      await this.#write(this.#job.topics.input, records);
      this.fed = upTo;
    }
  }

  /** One last record for each key. */
  async feedLast(): Promise<void> {
    const last = makeLast(this.#seed, this.fed);
    await this.#write(this.#job.topics.input, last.map(toFed));
    this.fed += last.length;
  }

  async close(): Promise<void> {
    await this.#producer?.close();
    this.#producer = undefined;
  }

  async #write<V>(topic: { name: string; keySerde: Serde<string>; valueSerde: Serde<V> }, records: readonly Fed<V>[]) {
    const step = new Step();
    const builders = Array.from({ length: PARTITIONS }, () => new BatchBuilder(step));
    const out = new ByteWriter();
    step.begin();
    for (const { key, value, at } of records) {
      out.clear();
      topic.keySerde.encode(key, out);
      const middle = out.at;
      topic.valueSerde.encode(value, out);
      const { bytes } = out;
      builders[partitionForKey(bytes, 0, middle, PARTITIONS)]!.append(at, bytes, 0, middle, bytes, middle, out.at);
    }
    step.settle();
    const batches = builders.map((builder) => (builder.count > 0 ? builder.finish() : undefined));
    for (;;) {
      this.#producer ??= await this.#open();
      const producer = this.#producer;
      try {
        producer.begin();
        await Promise.all(
          batches.map((batch, partition) => batch && producer.append(topic.name, partition, Buffer.from(batch))),
        );
        await producer.commit();
        return;
      } catch (thrown) {
        // What the brokers aborted while they were away is written again, under a new epoch.
        if (!isFlowError(thrown, 'log.fenced') && !isFlowError(thrown, 'log.aborted')) throw thrown;
        await this.close();
      }
    }
  }

  #open(): Promise<LogProducer> {
    const { input, table } = this.#job.topics;
    const writes = { topics: [input.name, table.name] };
    return this.#log.producer({ transactionalId: `${FEEDER}-${this.#job.name}`, writes });
  }
}

function toFed({ key, id, group, amount, at }: ReturnType<typeof makeRecord>) {
  return { key, value: { id, group, amount }, at };
}
