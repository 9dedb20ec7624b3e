import { isTimeRecord } from '../checkpoints/checkpoints.ts';
import type { Bytes } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis, Position } from '../core/ids.ts';
import { BatchView, basePosition } from '../log/batch.ts';
import type { Fetched } from '../log/log.ts';
import { type Push, Rec, type Screen } from '../operators/operators.ts';
import type { Serde, View } from '../schemas/schemas.ts';
import type { Input, Original } from './inputs.ts';
import { RecordSieve } from './record-sieve.ts';
import { type RecordTime, soundTime } from './record-time.ts';
import { undecodableAt } from './undecodable.ts';

export interface TopicInputOptions {
  readonly topic: string;
  readonly partition: number;
  readonly node: string;
  readonly position: Position;
  /** Where the partition is known to end, before anything was fetched. Default: nothing is known. */
  readonly known?: Position;
  /** Default: false. */
  readonly awaitsEnd?: boolean;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly keyView: View<unknown>;
  readonly valueView: View<unknown>;
  /** Event time, where it is not simply the record's own timestamp. */
  readonly time: RecordTime | undefined;
  readonly push: Push;
  readonly screen: Screen | undefined;
  /**
   * No other input of the task and no timer depends on when a record of this one goes by: what the screen drops may
   * be left out as a batch is decoded.
   */
  readonly alone: boolean;
  /** Takes a batch that nobody has to open; see `pass-through.ts`. */
  readonly pass: ((fetched: Fetched, batch: number) => boolean) | undefined;
  /** Takes what tasks tell of their time, between two steps, when all that they sent before has gone by. */
  readonly told?: ((bytes: Bytes, start: number, end: number) => void) | undefined;
}

type IsOwn = NonNullable<NonNullable<Serde<unknown>['registered']>['isOwn']>;
/** The record's own timestamp, in a batch where not all can be gone by. */
const TOPIC_TIME = { of: (record: Rec) => soundTime(record.timestamp) };

/** A topic partition as the input of a task: a queue of fetched buffers, read batch by batch. */
export class TopicInput implements Input {
  readonly topic: string;
  readonly partition: number;
  readonly node: string;
  readonly record = new Rec();
  readonly push: Push;
  readonly screen: Screen | undefined;
  awaitsEnd: boolean;
  /** Set where it is aligned with others; see `alignment.ts`. */
  ceiling: (() => Millis) | undefined;
  siftedTime: Millis = 0;
  accepted = false;
  /** Bytes that wait here. */
  queuedBytes = 0;
  /** Records that wait here, counted as positions, by whole fetched buffers. */
  queuedRecords = 0;
  taken = 0;
  /** Batches passed on unopened, and their records. */
  passed = 0;
  index = 0;

  readonly #key: Serde<unknown>;
  readonly #isOwnKey: IsOwn | undefined;
  readonly #value: Serde<unknown>;
  readonly #keyView: View<unknown>;
  readonly #valueView: View<unknown>;
  readonly #time: RecordTime | undefined;
  /** That of the open batch: where times of it are absurd they are looked at, record by record. */
  #stamp: Pick<RecordTime, 'of'> | undefined;
  readonly #pass: TopicInputOptions['pass'];
  readonly #told: TopicInputOptions['told'];
  readonly #view = new BatchView();
  readonly #sieve: RecordSieve | undefined;
  readonly #queue: Fetched[] = [];
  #current: Fetched | undefined;
  #batch = 0;
  /** The record of the open batch that is yet to be decoded whole, or -1. */
  #unproven = -1;
  #count = 0;
  /** The time record that ends the open batch, or -1. */
  #timeAt = -1;
  #position: Position;
  #fetchedTo: Position;
  #known: Position;
  #end: Position | undefined;

  constructor(options: TopicInputOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.node = options.node;
    this.push = options.push;
    this.screen = options.time === undefined ? options.screen : undefined;
    this.awaitsEnd = options.awaitsEnd ?? false;
    this.#position = options.position;
    this.#fetchedTo = options.position;
    this.#known = options.known ?? 0;
    this.#key = options.key;
    this.#isOwnKey = options.key.registered?.isOwn;
    this.#value = options.value;
    this.#keyView = options.keyView;
    this.#valueView = options.valueView;
    this.#time = options.time;
    this.#pass = options.pass;
    this.#told = options.told;
    this.#sieve =
      options.alone && options.told === undefined && this.screen !== undefined
        ? new RecordSieve(this.screen, this.#valueView)
        : undefined;
  }

  /** Takes over a fetched buffer; one that was asked for before the input moved here is given back. */
  offer(fetched: Fetched): void {
    if (fetched.position !== this.#fetchedTo) {
      fetched.release();
      return;
    }
    this.#known = Math.max(this.#known, fetched.end);
    this.#fetchedTo = fetched.next;
    this.queuedBytes += fetched.bytes.length;
    this.queuedRecords += fetched.next - fetched.position;
    this.#queue.push(fetched);
  }

  /** The partition ends here; nothing at or behind this position is read. */
  setEnd(end: Position): void {
    this.#end = end;
  }

  /** All up to here stands there, and whoever wrote it writes no more: nothing is waited for behind it. */
  setWritten(end: Position): void {
    this.#known = Math.max(this.#known, end);
    this.awaitsEnd = false;
  }

  fill(): boolean {
    if (this.index < this.#count || this.#dropped > 0) return true;
    while (this.#open()) if (this.index < this.#count) return true;
    return false;
  }

  /** Records that were left out before the next one, and have not gone by yet. */
  get #dropped(): number {
    return this.#view.sieved && this.#count > 0 ? this.#sieve!.dropped[this.index]! : 0;
  }

  /** Opens the next batch; false when nothing is queued. */
  #open(): boolean {
    this.#finishBatch();
    const end = this.#end;
    if (end !== undefined && this.#position >= end) return false;
    let current = this.#current;
    if (current === undefined) {
      current = this.#queue.shift();
      if (current === undefined) return false;
      this.#current = current;
      this.#batch = 0;
    }
    if (this.#batch >= current.starts.length) {
      this.#position = Math.max(this.#position, current.next);
      this.queuedBytes -= current.bytes.length;
      this.queuedRecords -= current.next - current.position;
      current.release();
      this.#current = undefined;
      return this.#queue.length > 0;
    }
    if ((end === undefined || current.next <= end) && this.#pass?.(current, this.#batch)) {
      this.#batch++;
      return true;
    }
    const view = this.#view;
    this.#decode(current, current.starts[this.#batch]!, current.ends[this.#batch]!);
    this.#batch++;
    let count = view.count;
    if (end !== undefined) {
      while (count > 0 && view.positions[count - 1]! >= end) count--;
      if (count === 0) this.#position = end;
    }
    this.#stamp = this.#time ?? (view.oddTimes ? TOPIC_TIME : undefined);
    if (this.#told !== undefined && count === view.count && count > 0 && isTimeRecord(view, count - 1)) {
      this.#timeAt = --count;
    }
    this.#count = count;
    let index = 0;
    while (index < count && view.positions[index]! < this.#position) index++;
    this.index = index;
    this.#unproven = index;
    return true;
  }

  #decode(fetched: Fetched, from: number, to: number): void {
    const view = this.#view;
    const whole = this.#end === undefined || fetched.next <= this.#end;
    if (this.#sieve !== undefined && whole && basePosition(fetched.bytes, from) >= this.#position) {
      try {
        view.openChecked(fetched.bytes, from, to, this, this.#sieve);
        if (!view.far) return;
      } catch {
        // What failed on a record fails again when it is taken, what is wrong with the batch at once.
      }
    }
    view.openChecked(fetched.bytes, from, to, this);
  }

  /**
   * The first record of each batch is decoded whole: a view reads no more than it is asked for, and would read
   * numbers out of bytes that are of another schema altogether.
   */
  #prove(): void {
    this.#unproven = -1;
    const why = this.undecodable();
    if (why !== undefined) throw new FlowError('schema.mismatch', why);
  }

  /** Tells that a whole batch went by, up to this position. */
  passedTo(position: Position, records: number): void {
    this.#position = position;
    this.passed += records;
  }

  /** The position behind the open batch; the end, where that cuts the batch. */
  #behindBatch(): Position {
    const view = this.#view;
    if (this.#timeAt >= 0) return view.positions[this.#timeAt]!;
    if (this.#count < view.count) return this.#end!;
    return Math.max(this.#position, view.sieved ? view.nextPosition : view.positions[this.#count - 1]! + 1);
  }

  #finishBatch(): void {
    if (this.#timeAt >= 0) {
      this.#takeTime();
      return;
    }
    if (this.#count === 0) return;
    this.#position = this.#behindBatch();
    this.#count = 0;
    this.index = 0;
  }

  /** Behind the last record of its batch. One that was taken before the restart is passed over. */
  #takeTime(): void {
    const { bytes, positions, valueStarts, valueEnds } = this.#view;
    const at = this.#timeAt;
    this.#timeAt = -1;
    this.#count = 0;
    this.index = 0;
    if (positions[at]! < this.#position) return;
    this.#position = positions[at]! + 1;
    this.#told!(bytes, valueStarts[at]!, valueEnds[at]!);
  }

  get head(): Millis {
    if (this.#stamp === undefined) return this.#view.timestamps[this.index]!;
    try {
      this.#move();
    } catch {
      // The record fails when it is taken; until then it stands at the time of its topic.
      return this.#view.timestamps[this.index]!;
    }
    return this.record.timestamp;
  }

  load(): void {
    if (this.index === this.#unproven) this.#prove();
    this.#move();
  }

  #move(): void {
    const { record } = this;
    const view = this.#view;
    const i = this.index;
    const bytes = view.bytes;
    record.position = view.positions[i]!;
    record.timestamp = view.timestamps[i]!;
    record.setKeyBytes(this.#key, this.#keyView, bytes, view.keyStarts[i]!, view.keyEnds[i]!);
    record.setValueBytes(this.#value, this.#valueView, bytes, view.valueStarts[i]!, view.valueEnds[i]!);
    const bodyEnd = view.bodyEnds[i]!;
    const headerStart = view.headerStarts[i]!;
    record.bodyBytes = bytes;
    record.bodyStart = view.bodyStarts[i]!;
    record.bodyEnd = bodyEnd;
    record.headerBytes = bytes;
    record.headerStart = headerStart + 1 === bodyEnd ? -1 : headerStart;
    record.headerEnd = bodyEnd;
    if (this.#isOwnKey !== undefined && !record.keyIsNull) this.#renewKey(record, this.#isOwnKey);
    if (this.#stamp !== undefined) record.timestamp = this.#stamp.of(record);
  }

  /** Equal keys are equal bytes: one that was written under another schema is to be encoded anew. */
  #renewKey(record: Rec, isOwn: IsOwn): void {
    if (!isOwn(record.keyBytes, record.keyStart, record.keyEnd)) record.setKey(record.key);
  }

  /** A failure of the screen is left to the record's own turn, which meets it again. */
  sift(most: number, until: Millis): number {
    if (this.#view.sieved) return this.#passDropped(most);
    this.accepted = false;
    const first = this.index;
    if (first === this.#unproven || this.#stamp !== undefined) return 0;
    const { timestamps, valueStarts, valueEnds, bytes } = this.#view;
    const read = this.#valueView;
    const screen = this.screen!;
    const end = Math.min(this.#count, first + most);
    let largest = Number.NEGATIVE_INFINITY;
    let i = first;
    try {
      for (; i < end; i++) {
        const timestamp = timestamps[i]!;
        if (timestamp > until) break;
        const start = valueStarts[i]!;
        if (screen.passes(start < 0 ? null : read(bytes, start, valueEnds[i]!))) {
          this.accepted = true;
          break;
        }
        if (timestamp > largest) largest = timestamp;
      }
    } catch {}
    this.siftedTime = largest;
    this.index = i;
    return i - first;
  }

  /** What was dropped before the next record goes by at once, but for what is over the limit. */
  #passDropped(most: number): number {
    const sieve = this.#sieve!;
    const { index } = this;
    const passed = Math.min(most, sieve.dropped[index]!);
    sieve.dropped[index]! -= passed;
    this.siftedTime = sieve.times[index]!;
    this.accepted = index !== this.#unproven;
    return passed;
  }

  shift(): void {
    this.index++;
  }

  get left(): number {
    return this.#count - this.index;
  }

  seek(index: number): void {
    this.index = index;
  }

  get position(): Position {
    const { index } = this;
    if (this.#dropped > 0) return this.#view.positions[index - 1]! + 1;
    if (index < this.#count) return this.#view.positions[index]!;
    if (this.#count > 0 || this.#timeAt >= 0) return this.#behindBatch();
    return this.#current === undefined && this.#queue.length === 0 ? this.#fetchedTo : this.#position;
  }

  get ended(): boolean {
    return this.#end !== undefined && !this.fill() && this.position >= this.#end;
  }

  get awaited(): boolean {
    return this.#end !== undefined ? this.position < this.#end : this.lag > 0;
  }

  get lag(): number {
    return Math.max(0, (this.#end ?? this.#known) - this.position);
  }

  undecodable(): string | undefined {
    return undecodableAt(this.#view, this.index, this.#key, this.#value);
  }

  original(): Original {
    const view = this.#view;
    const i = this.index;
    return {
      bytes: view.bytes,
      keyStart: view.keyStarts[i]!,
      keyEnd: view.keyEnds[i]!,
      valueStart: view.valueStarts[i]!,
      valueEnd: view.valueEnds[i]!,
    };
  }

  /** Gives back every buffer. */
  close(): void {
    this.#current?.release();
    for (const fetched of this.#queue) fetched.release();
    this.#queue.length = 0;
    this.#current = undefined;
    this.#count = 0;
  }
}
