import { type Bytes, ByteWriter, readInt32, readInt64 } from '../../core/bytes.ts';
import type { Millis } from '../../core/ids.ts';
import { FIRST_CELL, LIVE, UNKNOWN } from './pages.ts';
import type { RowStore } from './row-store.ts';

/** What a row was: known to be absent, there, or not read from disk. */
export type Form = 'absent' | 'held' | 'cold';

/** A row as it was when an epoch began. */
export interface Before {
  readonly pane: number;
  readonly key: Bytes;
  readonly form: Form;
  readonly timestamp: Millis;
  /** The bytes of a value, or its cells as they lie in memory. */
  readonly value: Bytes;
}

const FORMS: readonly Form[] = ['absent', 'held', 'cold'];

/**
 * The rows of one table that an epoch has changed, as they were before: entries stand beside those of the table's dirty
 * list, so that a step which is undone takes them back with it. They are bytes until somebody asks.
 */
export class BeforeRows {
  readonly #out = new ByteWriter(1024);
  #starts = new Int32Array(64);
  #count = 0;
  #indexed = 0;
  readonly #byPane = new Map<number, Map<string, Before>>();

  get bytes(): number {
    return this.#out.bytes.length + this.#starts.byteLength;
  }

  /** Before a change of the row at hand, which becomes the dirty row of that index. `cold`: memory does not say. */
  keep(rows: RowStore, row: number, pane: number, index: number, isNew: boolean, cold: boolean): void {
    const out = this.#out;
    // what stood here and behind was undone
    if (index < this.#count) out.at = this.#starts[index]!;
    // the first index is any: rows may have been dirty already when somebody asked
    if (index >= this.#starts.length) {
      const grown = new Int32Array(Math.max(index + 1, this.#starts.length * 2));
      grown.set(this.#starts);
      this.#starts = grown;
    }
    this.#starts[index] = out.at;
    this.#count = index + 1;
    const length = rows.keyLength(row);
    const start = rows.keyStart(row);
    const { page, at } = rows;
    const flags = page.words[at]!;
    const isLive = !isNew && (flags & LIVE) !== 0;
    out.byte(isLive ? 1 : cold || (flags & UNKNOWN) !== 0 ? 2 : 0);
    out.int64(pane);
    out.int32(length);
    out.copy(rows.keyBytes(row), start, start + length);
    if (!isLive) return;
    const base = (at >>> 1) + FIRST_CELL;
    out.double(page.cells[base - 1]!);
    if (rows.slabbed) {
      const place = page.cells[base]! | 0;
      const valueStart = rows.slab.start(place);
      const valueLength = page.cells[base + 1]! | 0;
      out.int32(valueLength);
      out.copy(rows.slab.bytes(place), valueStart, valueStart + valueLength);
    } else {
      const valueLength = rows.width * Float64Array.BYTES_PER_ELEMENT;
      out.int32(valueLength);
      out.copy(page.bytes, base * Float64Array.BYTES_PER_ELEMENT, base * Float64Array.BYTES_PER_ELEMENT + valueLength);
    }
  }

  /** Those of the first `count` dirty rows, which no step undoes any more, by pane and key in Latin-1. */
  upTo(count: number): ReadonlyMap<number, ReadonlyMap<string, Before>> {
    for (; this.#indexed < count; this.#indexed++) {
      const before = this.#read(this.#starts[this.#indexed]!);
      let rows = this.#byPane.get(before.pane);
      if (rows === undefined) {
        rows = new Map();
        this.#byPane.set(before.pane, rows);
      }
      const key = before.key.toString('latin1');
      // a row that was made and taken away again within the epoch may be made once more
      if (!rows.has(key)) rows.set(key, before);
    }
    return this.#byPane;
  }

  #read(at: number): Before {
    const bytes = this.#out.bytes;
    const form = FORMS[bytes[at]!]!;
    const pane = readInt64(bytes, at + 1);
    const keyEnd = at + 13 + readInt32(bytes, at + 9);
    const key = Buffer.from(bytes.subarray(at + 13, keyEnd));
    if (form !== 'held') return { pane, key, form, timestamp: 0, value: Buffer.alloc(0) };
    const valueStart = keyEnd + 12;
    const value = Buffer.from(bytes.subarray(valueStart, valueStart + readInt32(bytes, keyEnd + 8)));
    return { pane, key, form, timestamp: bytes.readDoubleBE(keyEnd), value };
  }
}
