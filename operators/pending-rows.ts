import { type Bytes, ByteWriter, readInt32, writeInt32 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { BytesTable, Scan } from '../state/state.ts';
import { paneOf } from './join-side.ts';
import type { Rec } from './record.ts';

/** The order of sides at one time: what waits on the right comes first. */
export type Side = typeof RIGHT | typeof LEFT;
export const RIGHT = 0;
export const LEFT = 1;

const SIDE_BYTES = 1;
const TIME_BYTES = 6;
const HEAD_BYTES = SIDE_BYTES + TIME_BYTES;
const LENGTH_BYTES = 4;

/**
 * Records of a left or outer join that have found no partner so far, by side, time and key. Those of one side, time and
 * key lie in one row, in order of arrival, since a partner of one is a partner of all; a row's value is each record's
 * value behind its length.
 *
 * A row's key is the side, the time within the pane, and the record's key: so the rows of a side lie in order of time,
 * then of key bytes.
 */
export class PendingRows {
  readonly table: BytesTable;
  readonly paneMs: Millis;
  readonly #key = new ByteWriter(64);
  readonly #value = new ByteWriter(256);

  constructor(table: BytesTable, paneMs: Millis) {
    this.table = table;
    this.paneMs = paneMs;
  }

  get empty(): boolean {
    return this.table.firstPane === Number.POSITIVE_INFINITY;
  }

  /** Adds a record, whose key and value lie encoded. May miss. */
  add(side: Side, record: Rec): void {
    const { table } = this;
    const { timestamp, valueBytes, valueStart, valueEnd } = record;
    const pane = this.#setKey(side, timestamp, record);
    const { bytes, at } = this.#key;
    const list = this.#value;
    list.clear();
    if (table.find(pane, bytes, 0, at)) list.copy(table.bytes, table.start, table.end);
    list.int32(valueEnd - valueStart);
    list.copy(valueBytes, valueStart, valueEnd);
    table.put(pane, bytes, 0, at, list.bytes, 0, list.at, timestamp);
  }

  /** Takes out what waits at this time under the key of a record that came from the other side. */
  remove(side: Side, time: Millis, partner: Rec): void {
    if (this.empty) return;
    const pane = this.#setKey(side, time, partner);
    this.table.delete(pane, this.#key.bytes, 0, this.#key.at);
  }

  /** The latest time at which anything of a side waits; -1 where nothing does. May miss. */
  lastTime(side: Side): Millis {
    const panes = this.table.panes();
    for (let i = panes.length - 1; i >= 0; i--) {
      const pane = panes[i]!;
      const last = this.table.last(pane, sideBytes(side), sideBytes(side + 1));
      if (last !== undefined) return pane + readTime(last.key, last.keyStart + SIDE_BYTES);
    }
    return -1;
  }

  #setKey(side: Side, time: Millis, { keyBytes, keyStart, keyEnd }: Rec): Millis {
    const pane = paneOf(time, this.paneMs);
    const key = this.#key;
    key.clear();
    key.byte(side);
    key.reserve(TIME_BYTES);
    writeTime(key.bytes, key.at, time - pane);
    key.at += TIME_BYTES;
    key.copy(keyBytes, keyStart, keyEnd);
    return pane;
  }
}

/** Goes over what waits on one side, in order of time from `from` on. */
export class PendingCursor {
  time: Millis = 0;
  pane: Millis = 0;
  scan!: Scan;
  readonly #rows: PendingRows;
  readonly #side: Side;
  readonly #from: Millis;
  readonly #panes: readonly Millis[];
  #at = 0;
  #opened = false;

  constructor(rows: PendingRows, side: Side, from: Millis) {
    this.#rows = rows;
    this.#side = side;
    this.#from = from;
    this.#panes = rows.table.panes(from > 0 ? paneOf(from, rows.paneMs) : undefined);
  }

  /** May miss. */
  next(): boolean {
    for (;;) {
      if (this.#opened && this.scan.next()) {
        this.time = this.pane + readTime(this.scan.key, this.scan.keyStart + SIDE_BYTES);
        return true;
      }
      const pane = this.#panes[this.#at++];
      if (pane === undefined) return false;
      this.pane = pane;
      const from = this.#from > pane ? timeBytes(this.#side, this.#from - pane) : sideBytes(this.#side);
      this.scan = this.#rows.table.scan(pane, from, sideBytes(this.#side + 1));
      this.#opened = true;
    }
  }

  /** Where the record's key begins in the key of the row. */
  get keyStart(): number {
    return this.scan.keyStart + HEAD_BYTES;
  }

  /** Takes out the row that it stands at. */
  remove(): void {
    const { key, keyStart, keyEnd } = this.scan;
    this.#rows.table.delete(this.pane, key, keyStart, keyEnd);
  }

  /** Where the first record's value begins in the row, behind its length. */
  get firstValue(): number {
    return this.scan.start + LENGTH_BYTES;
  }

  /** Where the value ends that begins at `start`. */
  valueEnd(start: number): number {
    return start + readInt32(this.scan.bytes, start - LENGTH_BYTES);
  }

  /** Where the value begins behind one that ends at `end`; -1: that was the last. */
  valueAfter(end: number): number {
    return end < this.scan.end ? end + LENGTH_BYTES : -1;
  }
}

function sideBytes(side: number): Bytes {
  return SIDES[side]!;
}

const SIDES = [RIGHT, LEFT, LEFT + 1].map((side) => Buffer.of(side));

function timeBytes(side: Side, offset: Millis): Bytes {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes[0] = side;
  writeTime(bytes, SIDE_BYTES, offset);
  return bytes;
}

function writeTime(bytes: Bytes, at: number, offset: Millis): void {
  const high = Math.floor(offset / 4294967296);
  bytes[at] = high >>> 8;
  bytes[at + 1] = high;
  writeInt32(bytes, at + 2, offset - high * 4294967296);
}

function readTime(bytes: Bytes, at: number): Millis {
  return ((bytes[at]! << 8) | bytes[at + 1]!) * 4294967296 + (readInt32(bytes, at + 2) >>> 0);
}
