import type { Millis, Position } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, encodeHeaders, type HeaderPair } from '../log/batch.ts';
import { type LogProducer, partitionForKey } from '../log/log.ts';

export interface RecordToWrite {
  readonly partition: number | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: Millis;
  readonly headers: readonly HeaderPair[];
}

const BATCH_BYTES = 256 * 1024;
/** So much may be on its way before more is taken. */
const HELD_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Writes records in batches, in order per partition. */
export class TopicWriter {
  /** Records that the log has answered for. */
  written = 0;
  readonly #producer: LogProducer;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #batchBytes: number;
  readonly #open = new Map<number, BatchBuilder>();
  #underWay: Promise<Position>[] = [];
  #held = 0;
  #turn = 0;
  #failure: unknown;

  constructor(
    producer: LogProducer,
    topic: string,
    limits: { readonly partitions: number; readonly maxBytes: number },
  ) {
    this.#producer = producer;
    this.#topic = topic;
    this.#partitions = limits.partitions;
    this.#batchBytes = Math.min(BATCH_BYTES, limits.maxBytes);
  }

  /** Takes one record; those without a key go to the partitions in turn. */
  async write({ partition, key, value, timestamp, headers }: RecordToWrite): Promise<void> {
    const chosen =
      partition ??
      (key === null ? this.#turn++ % this.#partitions : partitionForKey(key, 0, key.length, this.#partitions));
    const section = encodeHeaders(headers);
    const size = (key?.length ?? 0) + (value?.length ?? 0) + section.length + 64;
    const open = this.#open.get(chosen);
    if (open !== undefined && open.size + size > this.#batchBytes) this.#send(chosen, open);
    if (this.#held > HELD_BYTES) await this.#settle();
    const builder = this.#open.get(chosen) ?? new BatchBuilder(new Step());
    this.#open.set(chosen, builder);
    builder.appendWithHeaders(
      timestamp,
      ...([key ?? NOTHING, key === null ? -1 : 0, key?.length ?? -1] as const),
      ...([value ?? NOTHING, value === null ? -1 : 0, value?.length ?? -1] as const),
      ...([section, 0, section.length] as const),
    );
  }

  /** Resolves when everything taken is written. */
  async flush(): Promise<void> {
    for (const [partition, builder] of [...this.#open]) this.#send(partition, builder);
    await this.#settle();
  }

  #send(partition: number, builder: BatchBuilder): void {
    this.#open.delete(partition);
    const { count, size } = builder;
    this.#held += size;
    const answer = this.#producer.append(this.#topic, partition, builder.finish());
    answer.then(
      () => (this.written += count),
      (thrown: unknown) => (this.#failure ??= thrown),
    );
    this.#underWay.push(answer);
  }

  async #settle(): Promise<void> {
    const underWay = this.#underWay;
    this.#underWay = [];
    this.#held = 0;
    await Promise.allSettled(underWay);
    if (this.#failure !== undefined) throw this.#failure;
  }
}
