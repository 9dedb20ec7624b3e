import type { Bytes } from '../core/bytes.ts';
import { PartitionMap } from '../core/partition-map.ts';
import type { Step } from '../core/step.ts';
import { BatchBuilder, type Compression } from '../log/batch.ts';
import { splitBatch } from './split-batch.ts';
import { appendTimeRecord, TimeNotes } from './time-records.ts';

/** A finished batch on its way to the log. */
export interface Sealed {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Bytes;
  readonly records: number;
}

interface Slot {
  readonly topic: string;
  readonly partition: number;
  readonly builder: BatchBuilder;
  /** It is among those that may hold something. */
  listed: boolean;
  /** A batch was finished since the epoch began. */
  written: boolean;
}

/**
 * The output of a worker's current epoch: one batch in the making per topic and partition, and the batches
 * finished so far, in order. Writers append to a builder within their step and raise `full` when it has reached
 * `batchBytes`; the task calls `seal` between steps. A batch larger than its topic takes is written as several. What
 * tasks have to tell of their time goes behind all else.
 */
export class Outputs {
  /** A builder has grown past the batch size; looked at once a step. */
  full = false;
  /** What the tasks tell of their time at the end of the epoch. */
  readonly times = new TimeNotes();
  readonly batchBytes: number;
  readonly #compression: Compression;
  readonly #maxBatchBytes: (topic: string) => number;
  readonly #step: Step;
  readonly #slots = new PartitionMap<Slot>();
  /** Those that may hold something, and those that were written: of many partitions mostly a few. */
  #listed: Slot[] = [];
  #written: Slot[] = [];
  #sealed: Sealed[] = [];
  #sealedBytes = 0;

  constructor(
    step: Step,
    batchBytes: number,
    compression: Compression = 'none',
    maxBatchBytes: (topic: string) => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#step = step;
    this.batchBytes = batchBytes;
    this.#compression = compression;
    this.#maxBatchBytes = maxBatchBytes;
  }

  builder(topic: string, partition: number): BatchBuilder {
    const found = this.#slots.get(topic, partition);
    if (found !== undefined) return found.builder;
    const builder = new BatchBuilder(this.#step, () => {
      if (slot.listed) return;
      slot.listed = true;
      this.#listed.push(slot);
    });
    const slot: Slot = { topic, partition, builder, listed: false, written: false };
    this.#slots.set(topic, partition, slot);
    return builder;
  }

  /** A whole batch that nobody opened; goes behind what was written before it. */
  pass(topic: string, partition: number, bytes: Bytes, records: number): void {
    const slot = this.#slots.get(topic, partition);
    if (slot !== undefined) this.#seal(slot);
    this.#push({ topic, partition, bytes, records });
  }

  /**
   * Finishes the batches that are full, or at the end of the epoch all of them, in the order in which they were begun.
   * Between steps only.
   */
  seal(all: boolean): void {
    this.full = false;
    if (all) this.#tellTimes();
    const due: Slot[] = [];
    const listed = this.#listed;
    this.#listed = [];
    for (const slot of listed) {
      const { count, size } = slot.builder;
      const isDue = all || size >= this.batchBytes;
      slot.listed = count > 0 && !isDue;
      if (slot.listed) this.#listed.push(slot);
      else if (count > 0) due.push(slot);
    }
    for (const slot of due.sort((a, b) => a.builder.begun - b.builder.begun)) this.#seal(slot);
    if (all) this.#forgetWritten();
  }

  #forgetWritten(): void {
    for (const slot of this.#written) slot.written = false;
    this.#written = [];
  }

  #tellTimes(): void {
    const touched = (topic: string, partition: number) => {
      const slot = this.#slots.get(topic, partition);
      return slot !== undefined && (slot.written || slot.builder.count > 0);
    };
    this.times.take(touched, (topic, partition, record) => {
      const timestamp = record.entries.reduce((most, { at }) => Math.max(most, at), 0);
      this.#step.begin();
      appendTimeRecord(this.builder(topic, partition), timestamp, record);
      this.#step.settle();
    });
  }

  /** Bytes finished and not yet taken. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** Hands over the finished batches. */
  take(): readonly Sealed[] {
    const sealed = this.#sealed;
    this.#sealed = [];
    this.#sealedBytes = 0;
    return sealed;
  }

  /** Forgets everything: the epoch has failed. */
  clear(): void {
    for (const slot of this.#listed) {
      slot.builder.clear();
      slot.listed = false;
    }
    this.#listed = [];
    this.#forgetWritten();
    this.times.clear();
    this.take();
    this.full = false;
  }

  #seal(slot: Slot): void {
    const records = slot.builder.count;
    if (records === 0) return;
    if (!slot.written) this.#written.push(slot);
    slot.written = true;
    const { topic, partition, builder } = slot;
    const limit = this.#maxBatchBytes(topic);
    if (builder.size <= limit) {
      this.#push({ topic, partition, bytes: builder.finish(this.#compression), records });
      return;
    }
    // one step, or one large record, went past what the topic takes
    const whole = builder.finish();
    for (const piece of splitBatch(whole, limit, this.#compression, slot)) this.#push({ topic, partition, ...piece });
    builder.recycle(whole);
  }

  #push(sealed: Sealed): void {
    this.#sealed.push(sealed);
    this.#sealedBytes += sealed.bytes.length;
  }
}
