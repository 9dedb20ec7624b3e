import { type Bytes, ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Cells, Serde, View } from '../schemas/schemas.ts';
import type { Table } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { plusOne, takesKey, zero } from './functions.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';

/**
 * Aggregates outside of their table, for operators that look at several rows at once: windows that merge, windows that
 * begin as copies of others. A {@link Held} is made once and used for one row after the other.
 */
export interface Held {
  /** False: there is no aggregate, as after a null one. */
  present: boolean;
  /** The largest time that went into it. */
  timestamp: Millis;
}

export interface Aggregates {
  /** `place` tells it from the others of the node. */
  hold(place: string): Held;
  /** The row of a key of the plain table; false where there is none. May miss. */
  load(into: Held, key: Bytes, keyStart: number, keyEnd: number): boolean;
  /** What a window has before its first record. */
  begin(into: Held, timestamp: Millis): void;
  copy(into: Held, from: Held): void;
  /** Adds the second to the first, whose time becomes the larger of both. */
  merge(into: Held, other: Held, record: Rec): void;
  add(into: Held, record: Rec): void;
  /** Writes the row; without an aggregate it is deleted. */
  store(held: Held, key: Bytes, keyStart: number, keyEnd: number): void;
  /** Appends what is held, which is present, as `decode` takes it. */
  encode(held: Held, out: ByteWriter): void;
  decode(into: Held, bytes: Bytes, start: number, end: number, timestamp: Millis): void;
  /** Gives a record value and time. The value is valid until the next change of what is held. */
  show(held: Held, out: Rec): void;
  /** The value as `show` shows it, or null. */
  value(held: Held): unknown;
}

type Add = (aggregate: unknown, value: unknown, key?: unknown) => unknown;

interface Parts {
  readonly node: string;
  readonly serde: Serde<unknown>;
  /** Without it the first value stands as it is, and merges as it is added. */
  readonly initial: (() => unknown) | undefined;
  readonly add: Add;
  readonly merge: Add;
}

const plus = (a: unknown, b: unknown): number => (a as number) + (b as number);

export function createAggregates(node: NodeOf<'aggregate'>, context: OperatorContext, plain: number): Aggregates {
  const table = context.table(node.store);
  const { value: serde } = context.storeSerdes(node.store);
  const add = node.add === null ? plusOne : context.fn<Add>('add', node.add);
  const merge = node.how === 'count' ? plus : node.merge === null ? add : context.fn<Add>('merge', node.merge);
  const initial =
    node.how === 'count'
      ? zero
      : node.initial === null
        ? undefined
        : context.fn<() => unknown>('initial', node.initial);
  const parts: Parts = { node: node.id, serde, initial, add, merge };
  return serde.cells === undefined
    ? new BytesAggregates(parts, table, plain)
    : new CellAggregates(parts, table, plain, serde.cells);
}

function call(fn: Add, withKey: boolean, aggregate: unknown, value: unknown, record: Rec): unknown {
  return withKey ? fn(aggregate, value, record.key) : fn(aggregate, value);
}

/** Bytes, decoded afresh for each call of user code, which may change what it gets. */
class HeldBytes implements Held {
  present = false;
  timestamp: Millis = 0;
  readonly bytes = new ByteWriter(256);
  readonly view: View<unknown>;

  constructor(view: View<unknown>) {
    this.view = view;
  }
}

class BytesAggregates implements Aggregates {
  readonly #parts: Parts;
  readonly #table: Table;
  readonly #plain: number;
  readonly #addsWithKey: boolean;
  readonly #mergesWithKey: boolean;

  constructor(parts: Parts, table: Table, plain: number) {
    this.#parts = parts;
    this.#table = table;
    this.#plain = plain;
    this.#addsWithKey = takesKey(parts.add);
    this.#mergesWithKey = takesKey(parts.merge);
  }

  hold(place: string): HeldBytes {
    const { serde, node } = this.#parts;
    return new HeldBytes(shared(serde, `${node} ${place}`, () => serde.view()));
  }

  load(into: HeldBytes, key: Bytes, keyStart: number, keyEnd: number): boolean {
    const table = this.#table;
    if (table.kind !== 'bytes' || !table.find(this.#plain, key, keyStart, keyEnd)) return false;
    into.present = true;
    into.timestamp = table.timestamp;
    into.bytes.clear();
    into.bytes.copy(table.bytes, table.start, table.end);
    return true;
  }

  begin(into: HeldBytes, timestamp: Millis): void {
    into.timestamp = timestamp;
    const { initial } = this.#parts;
    if (initial === undefined) into.present = false;
    else this.#set(into, initial(), null);
  }

  copy(into: HeldBytes, from: HeldBytes): void {
    into.present = from.present;
    into.timestamp = from.timestamp;
    into.bytes.clear();
    into.bytes.copy(from.bytes.bytes, 0, from.bytes.at);
  }

  merge(into: HeldBytes, other: HeldBytes, record: Rec): void {
    if (other.timestamp > into.timestamp) into.timestamp = other.timestamp;
    if (!other.present) return;
    if (!into.present) {
      const { timestamp } = into;
      this.copy(into, other);
      into.timestamp = timestamp;
      return;
    }
    const old = this.#get(into);
    this.#set(into, call(this.#parts.merge, this.#mergesWithKey, old, this.#get(other), record), old);
  }

  add(into: HeldBytes, record: Rec): void {
    if (record.timestamp > into.timestamp) into.timestamp = record.timestamp;
    const { initial, add } = this.#parts;
    if (!into.present && initial === undefined) {
      this.#set(into, record.value, null);
      return;
    }
    const old = into.present ? this.#get(into) : initial!();
    this.#set(into, call(add, this.#addsWithKey, old, record.value, record), old);
  }

  store(held: HeldBytes, key: Bytes, keyStart: number, keyEnd: number): void {
    const table = this.#table;
    if (!held.present) table.delete(this.#plain, key, keyStart, keyEnd);
    else if (table.kind === 'bytes') {
      table.put(this.#plain, key, keyStart, keyEnd, held.bytes.bytes, 0, held.bytes.at, held.timestamp);
    }
  }

  encode(held: HeldBytes, out: ByteWriter): void {
    out.copy(held.bytes.bytes, 0, held.bytes.at);
  }

  decode(into: HeldBytes, bytes: Bytes, start: number, end: number, timestamp: Millis): void {
    into.present = true;
    into.timestamp = timestamp;
    into.bytes.clear();
    into.bytes.copy(bytes, start, end);
  }

  show(held: HeldBytes, out: Rec): void {
    out.timestamp = held.timestamp;
    if (held.present) out.setValueBytes(this.#parts.serde, held.view, held.bytes.bytes, 0, held.bytes.at);
    else out.setValue(null);
  }

  value(held: HeldBytes): unknown {
    return held.present ? held.view(held.bytes.bytes, 0, held.bytes.at) : null;
  }

  #get(held: HeldBytes): unknown {
    return this.#parts.serde.read(held.bytes.bytes, 0, held.bytes.at);
  }

  /** What user code answered; nothing: it changed the given one. */
  #set(into: HeldBytes, result: unknown, given: unknown): void {
    const value = result === undefined ? given : result;
    into.present = value !== null;
    into.bytes.clear();
    if (into.present) this.#parts.serde.encode(value, into.bytes);
  }
}

/** Doubles; user code gets an accessor on them, through which it may change them. */
class HeldCells implements Held {
  present = false;
  timestamp: Millis = 0;
  readonly cells: Float64Array;
  readonly rowAt: (cells: Float64Array, base: number) => unknown;

  constructor(width: number, rowAt: (cells: Float64Array, base: number) => unknown) {
    this.cells = new Float64Array(width);
    this.rowAt = rowAt;
  }
}

class CellAggregates implements Aggregates {
  readonly #parts: Parts;
  readonly #table: Table;
  readonly #plain: number;
  readonly #codec: Cells<unknown>;
  readonly #addsWithKey: boolean;
  readonly #mergesWithKey: boolean;

  constructor(parts: Parts, table: Table, plain: number, codec: Cells<unknown>) {
    this.#parts = parts;
    this.#table = table;
    this.#plain = plain;
    this.#codec = codec;
    this.#addsWithKey = takesKey(parts.add);
    this.#mergesWithKey = takesKey(parts.merge);
  }

  hold(place: string): HeldCells {
    const { serde, node } = this.#parts;
    const codec = this.#codec;
    return new HeldCells(
      codec.width,
      shared(serde, `${node} ${place}`, () => codec.row()),
    );
  }

  load(into: HeldCells, key: Bytes, keyStart: number, keyEnd: number): boolean {
    const table = this.#table;
    if (table.kind !== 'cells' || !table.find(this.#plain, key, keyStart, keyEnd)) return false;
    const { cells, base } = table;
    into.present = true;
    into.timestamp = cells[base - 1]!;
    for (let i = 0; i < into.cells.length; i++) into.cells[i] = cells[base + i]!;
    return true;
  }

  begin(into: HeldCells, timestamp: Millis): void {
    into.timestamp = timestamp;
    const { initial } = this.#parts;
    into.present = initial !== undefined;
    if (initial !== undefined) this.#set(into, initial());
  }

  copy(into: HeldCells, from: HeldCells): void {
    into.present = from.present;
    into.timestamp = from.timestamp;
    into.cells.set(from.cells);
  }

  merge(into: HeldCells, other: HeldCells, record: Rec): void {
    if (other.timestamp > into.timestamp) into.timestamp = other.timestamp;
    if (!other.present) return;
    if (!into.present) {
      into.present = true;
      into.cells.set(other.cells);
      return;
    }
    const own = this.value(into);
    this.#set(into, call(this.#parts.merge, this.#mergesWithKey, own, this.value(other), record), own);
  }

  add(into: HeldCells, record: Rec): void {
    if (record.timestamp > into.timestamp) into.timestamp = record.timestamp;
    const { initial, add } = this.#parts;
    if (!into.present) {
      if (initial === undefined) {
        this.#set(into, record.value);
        return;
      }
      this.#set(into, initial());
    }
    const own = into.rowAt(into.cells, 0);
    this.#set(into, call(add, this.#addsWithKey, own, record.value, record), own);
  }

  store(held: HeldCells, key: Bytes, keyStart: number, keyEnd: number): void {
    const table = this.#table;
    if (!held.present) {
      table.delete(this.#plain, key, keyStart, keyEnd);
      return;
    }
    if (table.kind !== 'cells') return;
    table.update(this.#plain, key, keyStart, keyEnd);
    const { cells, base } = table;
    cells[base - 1] = held.timestamp;
    for (let i = 0; i < held.cells.length; i++) cells[base + i] = held.cells[i]!;
  }

  encode(held: HeldCells, out: ByteWriter): void {
    this.#codec.encode(held.cells, 0, out);
  }

  decode(into: HeldCells, bytes: Bytes, start: number, end: number, timestamp: Millis): void {
    into.present = true;
    into.timestamp = timestamp;
    this.#codec.decode(bytes, start, end, into.cells, 0);
  }

  show(held: HeldCells, out: Rec): void {
    out.timestamp = held.timestamp;
    out.setValue(this.value(held));
  }

  value(held: HeldCells): unknown {
    return held.present ? held.rowAt(held.cells, 0) : null;
  }

  /** What user code answered; nothing, or the accessor itself: it changed the cells. */
  #set(into: HeldCells, result: unknown, own?: unknown): void {
    into.present = result !== null;
    if (result === null || (own !== undefined && (result === undefined || result === own))) return;
    this.#codec.store(result, into.cells, 0);
  }
}
