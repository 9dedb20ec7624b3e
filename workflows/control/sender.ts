import { type Bytes, ByteWriter } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { type LogProducer, partitionForKey } from '../../log/log.ts';

/** A batch goes out at this size though the one before it is on its way. */
const MOST_BYTES = 256 * 1024;

export interface SenderParts {
  readonly clock: Clock;
  readonly producer: LogProducer;
  readonly topic: string;
  readonly partitions: number;
}

/**
 * Appends commands, each to the partition of its root execution, never within a transaction: so that whoever reads them
 * is never held back. While a batch of a partition is on its way the next one fills.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #step = new Step();
  readonly #lanes: Lane[];
  readonly #key = new ByteWriter(64);
  #due: Lane[] = [];

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#lanes = Array.from({ length: parts.partitions }, (_, partition) => ({
      partition,
      builder: new BatchBuilder(this.#step),
      waiting: [],
      sending: false,
      queued: false,
    }));
  }

  /** A message as JSON; `failed` is told where the log does not take it. */
  send(root: string, text: string, at: number, failed: (reason: unknown) => void): void {
    const key = this.#key;
    key.clear();
    key.text(root);
    const partition = partitionForKey(key.bytes, 0, key.at, this.#parts.partitions);
    this.#append(this.#lanes[partition]!, key.bytes, key.at, Buffer.from(text), at, failed);
  }

  /** To every partition; resolves when all have it. */
  async sendToAll(key: string, message: unknown, at: number): Promise<void> {
    const value = Buffer.from(JSON.stringify(message));
    const name = Buffer.from(key);
    await Promise.all(this.#lanes.map(({ partition }) => this.#appendNow(partition, name, value, at)));
  }

  /** To the partition of the key; resolves when it has it. */
  async sendTo(key: string, message: unknown, at: number): Promise<void> {
    const name = Buffer.from(key);
    const partition = partitionForKey(name, 0, name.length, this.#parts.partitions);
    await this.#appendNow(partition, name, Buffer.from(JSON.stringify(message)), at);
  }

  async close(): Promise<void> {
    await this.#parts.producer.close();
  }

  async #appendNow(partition: number, key: Bytes, value: Bytes, at: number): Promise<void> {
    const builder = new BatchBuilder(this.#step);
    this.#step.begin();
    builder.append(at, key, 0, key.length, value, 0, value.length);
    this.#step.settle();
    await this.#parts.producer.append(this.#parts.topic, partition, builder.finish());
  }

  #append(lane: Lane, key: Bytes, keyEnd: number, value: Bytes, at: number, failed: (reason: unknown) => void): void {
    this.#step.begin();
    lane.builder.append(at, key, 0, keyEnd, value, 0, value.length);
    this.#step.settle();
    lane.waiting.push(failed);
    if (lane.builder.size >= MOST_BYTES) this.#flush(lane);
    else if (!lane.sending && !lane.queued) {
      lane.queued = true;
      // what is sent in one turn of the loop goes out together
      if (this.#due.push(lane) === 1) void this.#parts.clock.turn().then(() => this.#flushDue());
    }
  }

  #flushDue(): void {
    const due = this.#due;
    this.#due = [];
    for (const lane of due) {
      lane.queued = false;
      if (!lane.sending && lane.builder.count > 0) this.#flush(lane);
    }
  }

  #flush(lane: Lane): void {
    const { waiting } = lane;
    lane.waiting = [];
    lane.sending = true;
    const over = () => {
      lane.sending = false;
      if (lane.builder.count > 0) this.#flush(lane);
    };
    this.#parts.producer.append(this.#parts.topic, lane.partition, lane.builder.finish()).then(over, (reason) => {
      for (const failed of waiting) failed(reason);
      over();
    });
  }
}

interface Lane {
  readonly partition: number;
  readonly builder: BatchBuilder;
  waiting: ((reason: unknown) => void)[];
  sending: boolean;
  queued: boolean;
}
