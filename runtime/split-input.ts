import type { SourceBatch } from '../connectors/connectors.ts';
import type { Millis, Position } from '../core/ids.ts';
import { type Push, Rec } from '../operators/operators.ts';
import type { Input, Original } from './inputs.ts';
import { soundTime } from './record-time.ts';

export interface SplitInputOptions {
  readonly node: string;
  readonly split: number;
  readonly position: Position;
  /** Records of the whole split, where known. */
  readonly records: number | undefined;
  readonly keyOf: (value: unknown) => unknown;
  readonly time: (value: unknown, key: unknown) => Millis;
  readonly push: Push;
}

/** What a connector's splits are called where a topic is shown. */
export function splitTopic(node: string): string {
  return `@${node}`;
}

/** A split of a connector as the input of a task: at most two batches wait, so the reader goes at our pace. */
export class SplitInput implements Input {
  readonly topic: string;
  readonly partition: number;
  readonly node: string;
  readonly record = new Rec();
  readonly push: Push;
  readonly screen = undefined;
  readonly awaitsEnd = true;
  readonly siftedTime = 0;
  readonly accepted = false;
  taken = 0;
  readonly passed = 0;
  index = 0;

  readonly #keyOf: SplitInputOptions['keyOf'];
  readonly #time: SplitInputOptions['time'];
  readonly #records: number | undefined;
  readonly #queue: SourceBatch<unknown>[] = [];
  #current: SourceBatch<unknown> | undefined;
  #position: Position;
  #exhausted = false;

  constructor(options: SplitInputOptions) {
    this.topic = splitTopic(options.node);
    this.partition = options.split;
    this.node = options.node;
    this.push = options.push;
    this.#position = options.position;
    this.#records = options.records;
    this.#keyOf = options.keyOf;
    this.#time = options.time;
  }

  offer(batch: SourceBatch<unknown> | undefined): void {
    if (batch === undefined) this.#exhausted = true;
    else this.#queue.push(batch);
  }

  /** More may be offered. */
  get wants(): boolean {
    return !this.#exhausted && this.#queue.length < 2;
  }

  fill(): boolean {
    for (;;) {
      const current = this.#current;
      if (current !== undefined) {
        if (this.index < current.count) return true;
        if (current.count > 0) this.#position = current.positionAfter(current.count - 1);
      }
      this.#current = this.#queue.shift();
      this.index = 0;
      if (this.#current === undefined) return false;
    }
  }

  get head(): Millis {
    const value = this.#current!.at(this.index);
    return this.#time(value, this.#keyOf(value));
  }

  load(): void {
    const { record } = this;
    const value = this.#current!.at(this.index);
    const key = this.#keyOf(value);
    record.position = this.position;
    record.headerStart = -1;
    record.setKey(key);
    record.setValue(value);
    record.timestamp = soundTime(this.#time(value, key));
  }

  shift(): void {
    this.index++;
  }

  sift(): number {
    return 0;
  }

  get left(): number {
    return this.#current === undefined ? 0 : this.#current.count - this.index;
  }

  seek(index: number): void {
    this.index = index;
  }

  get position(): Position {
    return this.#current !== undefined && this.index > 0 ? this.#current.positionAfter(this.index - 1) : this.#position;
  }

  get ended(): boolean {
    return this.#exhausted && !this.fill();
  }

  get awaited(): boolean {
    return !this.#exhausted;
  }

  get lag(): number {
    return this.#records === undefined ? 0 : Math.max(0, this.#records - this.position);
  }

  undecodable(): string | undefined {
    return undefined;
  }

  /** A connector's record has no bytes of its own: key and value are kept as JSON text. */
  original(): Original {
    const key = Buffer.from(JSON.stringify(this.record.key) ?? 'null');
    const value = Buffer.from(JSON.stringify(this.record.value) ?? 'null');
    const end = key.length + value.length;
    return {
      bytes: Buffer.concat([key, value]),
      keyStart: 0,
      keyEnd: key.length,
      valueStart: key.length,
      valueEnd: end,
    };
  }
}
