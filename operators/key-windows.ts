import { type Bytes, ByteWriter, equalBytes, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde, View, WindowedSerde } from '../schemas/schemas.ts';
import { PLAIN, type Table } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';

const TIME_BYTES = 8;
/** Behind every time. */
const LAST = Buffer.from('8000000000000000', 'hex');

/**
 * The windows of one key, in a plain table whose rows lie by windowed key: the key's bytes, then the start of the
 * window, or its end and its start (`windowed` and `sessionWindowed` of `schemas/`). So those of a key lie together, by
 * start, or by end.
 *
 * After {@link KeyWindows.collect} they are numbered from 0 to `count`; {@link KeyWindows.point} writes the key of one
 * into `bytes[0, at)`.
 */
export class KeyWindows {
  count = 0;
  readonly starts: Millis[] = [];
  readonly ends: Millis[] = [];
  /** The time of each row. */
  readonly times: Millis[] = [];
  /** The windowed key written last. */
  readonly key = new ByteWriter(64);

  readonly #table: Table;
  readonly #sizeMs: Millis | null;
  /** How the key inside lies in bytes. */
  readonly inner: Serde<unknown>;
  readonly #serde: Serde<unknown>;
  readonly #views: { readonly updates: View<unknown>; readonly finals: View<unknown> };
  readonly #from = new ByteWriter(64);
  readonly #to = new ByteWriter(64);

  /** `sizeMs` null: keys tell start and end. */
  constructor(node: NodeOf<'aggregate'>, sizeMs: Millis | null, context: OperatorContext) {
    this.#table = context.table(node.store);
    this.#sizeMs = sizeMs;
    const { key } = context.storeSerdes(node.store);
    this.#serde = key;
    this.inner = (key as WindowedSerde<unknown>).inner;
    this.#views = {
      updates: shared(key, `${node.id} key of updates`, () => key.view()),
      finals: shared(key, `${node.id} key of finals`, () => key.view()),
    };
  }

  /** Finds the windows of a record's key that start (or, where keys tell both, end) at `from` or later; may miss. */
  collect(record: Rec, from: Millis, to: Millis | undefined): void {
    const { keyBytes, keyStart, keyEnd } = record;
    this.count = 0;
    const lower = this.#from;
    lower.clear();
    lower.copy(keyBytes, keyStart, keyEnd);
    lower.int64(from);
    const upper = this.#to;
    upper.clear();
    upper.copy(keyBytes, keyStart, keyEnd);
    if (to === undefined) upper.copy(LAST, 0, TIME_BYTES);
    else upper.int64(to + 1);
    const scan = this.#table.scan(PLAIN, lower.bytes.subarray(0, lower.at), upper.bytes.subarray(0, upper.at));
    const length = keyEnd - keyStart;
    const behind = this.#sizeMs === null ? 2 * TIME_BYTES : TIME_BYTES;
    while (scan.next()) {
      const { key, keyStart: at, keyEnd: end } = scan;
      if (end - at !== length + behind || !equalBytes(key, at, at + length, keyBytes, keyStart, keyEnd)) continue;
      const start = readInt64(key, end - TIME_BYTES);
      this.starts[this.count] = start;
      this.ends[this.count] = this.#sizeMs === null ? readInt64(key, at + length) : start + this.#sizeMs;
      this.times[this.count] = scan.timestamp;
      this.count++;
    }
  }

  /** Moves a window found to another number, over what was there. */
  keep(from: number, to: number): void {
    this.starts[to] = this.starts[from]!;
    this.ends[to] = this.ends[from]!;
    this.times[to] = this.times[from]!;
  }

  /** Changes the numbers of two windows found. */
  swap(a: number, b: number): void {
    for (const list of [this.starts, this.ends, this.times]) {
      const moved = list[a]!;
      list[a] = list[b]!;
      list[b] = moved;
    }
  }

  /** Writes the key of a window. */
  point(record: Rec, start: Millis, end: Millis): void {
    this.compose(this.key, record.keyBytes, record.keyStart, record.keyEnd, start, end);
  }

  /** Writes the key of a window of the key that lies there. */
  compose(into: ByteWriter, key: Bytes, keyStart: number, keyEnd: number, start: Millis, end: Millis): void {
    into.clear();
    into.copy(key, keyStart, keyEnd);
    if (this.#sizeMs === null) into.int64(end);
    into.int64(start);
  }

  /** Appends what tells the order of the window whose key was written last: start, end, key. */
  appendOrder(into: ByteWriter): void {
    const { bytes, at } = this.key;
    const start = readInt64(bytes, at - TIME_BYTES);
    const keyEnd = this.#sizeMs === null ? at - 2 * TIME_BYTES : at - TIME_BYTES;
    into.int64(start);
    into.int64(this.#sizeMs === null ? readInt64(bytes, keyEnd) : start + this.#sizeMs);
    into.copy(bytes, 0, keyEnd);
  }

  /** Gives a record the windowed key that lies there. */
  name(out: Rec, key: Bytes, keyStart: number, keyEnd: number, of: 'updates' | 'finals'): void {
    out.setKeyBytes(this.#serde, this.#views[of], key, keyStart, keyEnd);
  }
}
