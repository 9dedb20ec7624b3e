import { assert } from '../core/assert.ts';
import { type Bytes, ByteWriter, EMPTY, readInt64, writeInt64 } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import { BufferedRow, type Serde, type View, type Windowed, writeBuffered } from '../schemas/schemas.ts';
import { type BytesTable, PLAIN, type Scan } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import type { KeptNumber, OperatorClock, OperatorContext, OperatorFactory, Push, ResumableScan } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

/**
 * Suppression: holds the updates of a table back, the newest of each key, until their time has come. A key has its
 * place in time from the first update that is held back: that record's time, or where windows are waited for, the end
 * of its window. Later updates take the value, not the place. A row comes out when its time is at most the clock less
 * the wait, in order of time, then of key bytes, with the time and headers of its newest update. The clock is moved by
 * each record before it is judged.
 *
 * A full buffer lets rows out early, the first in order, which may be the very one that came; or it fails. Where
 * windows are waited for, deletions are buffered as all else, but do not come out: nothing of their window ever did.
 *
 * Where old values are asked for, what comes out replaces what came out before, not the update in between: the row
 * keeps what its first update replaced.
 *
 * State: the rows by key, the order as rows of (time, key) without a value, and four numbers. `first` is never later
 * than the first row in order, so one comparison a record says that nothing is due. What is due comes out as a scan,
 * one row a step; its cursor may be forgotten at any time, since what came out is gone from the order.
 */
export const createSuppressBuffer: OperatorFactory<'suppressBuffer'> = (node, context, [next]) => {
  const buffer = new SuppressBuffer(node, context, next!);
  return {
    inputs: [(record) => buffer.take(record)],
    start: () => buffer.flush(),
    time: () => buffer.flush(),
    held: () => buffer.held(),
    end: () => buffer.end(),
  };
};

/** Before the key in a row of the order. */
const TIME_BYTES = 8;
const NOTHING = Number.POSITIVE_INFINITY;

class SuppressBuffer implements ResumableScan {
  readonly #node: NodeOf<'suppressBuffer'>;
  readonly #context: OperatorContext;
  readonly #next: Push;
  readonly #rows: BytesTable;
  readonly #order: BytesTable;
  readonly #keySerde: Serde<unknown>;
  readonly #valueSerde: Serde<unknown>;
  readonly #keyView: View<unknown>;
  readonly #valueView: View<unknown>;
  readonly #oldView: View<unknown>;
  readonly #wantsOld: boolean;
  readonly #clock: OperatorClock;
  /** How many rows are held, and their bytes: those of key and row. */
  readonly #count: KeptNumber;
  readonly #bytes: KeptNumber;
  readonly #first: KeptNumber;
  /** The latest place in time that ever was held. */
  readonly #last: KeptNumber;
  /** How far an update that was held ever was behind the place of its key. */
  readonly #lag: KeptNumber;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #final: boolean;

  readonly #row = new BufferedRow();
  readonly #written = new ByteWriter(256);
  readonly #old = new ByteWriter(256);
  readonly #prior: Part = { bytes: EMPTY, start: -1, end: -1 };
  readonly #orderKey = new ByteWriter(64);
  readonly #key = new ByteWriter(64);
  readonly #from: Bytes = Buffer.alloc(TIME_BYTES);
  readonly #out = new Rec();
  #cursor: Scan | undefined;

  constructor(node: NodeOf<'suppressBuffer'>, context: OperatorContext, next: Push) {
    this.#node = node;
    this.#context = context;
    this.#next = next;
    this.#rows = bytesTable(context, node.store);
    this.#order = bytesTable(context, node.order);
    this.#keySerde = context.storeSerdes(node.store).key;
    this.#valueSerde = context.serde(node.value!);
    this.#keyView = shared(this.#keySerde, `${node.id} key`, () => this.#keySerde.view());
    this.#valueView = shared(this.#valueSerde, `${node.id} value`, () => this.#valueSerde.view());
    this.#oldView = shared(this.#valueSerde, `${node.id} old`, () => this.#valueSerde.view());
    this.#wantsOld = context.wantsOld;
    this.#clock = context.clock('clock');
    this.#count = context.number('records', 0);
    this.#bytes = context.number('bytes', 0);
    this.#first = context.number('first', NOTHING);
    this.#last = context.number('last', 0);
    this.#lag = context.number('lag', 0);
    this.#maxRecords = node.maxRecords ?? NOTHING;
    this.#maxBytes = node.maxBytes ?? NOTHING;
    this.#final = node.until === 'windowClose';
  }

  take(record: Rec): void {
    this.#clock.see(record.timestamp);
    if (record.keyIsNull) {
      this.#context.drop('null-key', record);
      return;
    }
    this.#hold(record);
    if (this.#isFull && this.#node.whenFull === 'fail') this.#makeRoom();
    this.flush();
  }

  /** Lets out what is due. */
  flush(): void {
    if (this.#isDue || this.#isFull) this.#context.scan(this);
  }

  /** No update that is held is older than this. */
  held(): Millis {
    return this.#count.value === 0 ? NOTHING : this.#first.value - this.#lag.value;
  }

  /** Nothing more will come: time goes to where the last row is due. */
  end(): void {
    if (this.#count.value === 0) return;
    this.#clock.finish(this.#last.value + this.#node.waitMs);
    this.flush();
  }

  advance(): boolean {
    if (!(this.#isDue || this.#isFull) || !this.#load()) {
      this.#cursor = undefined;
      return false;
    }
    this.#letOut(this.#next);
    return true;
  }

  skip(): void {
    if (this.#load()) this.#letOut(undefined);
  }

  get #isDue(): boolean {
    return this.#first.value <= this.#clock.value - this.#node.waitMs;
  }

  get #isFull(): boolean {
    return this.#count.value > this.#maxRecords || this.#bytes.value > this.#maxBytes;
  }

  #hold(record: Rec): void {
    const rows = this.#rows;
    const row = this.#row;
    record.encodeKey(this.#keySerde);
    record.encodeValue(this.#valueSerde);
    const { keyBytes, keyStart, keyEnd } = record;
    const found = rows.find(PLAIN, keyBytes, keyStart, keyEnd);
    let before = 0;
    let time: Millis;
    if (found) {
      row.read(rows.bytes, rows.start, rows.end);
      time = row.time;
      before = keyEnd - keyStart + rows.end - rows.start;
    } else {
      time = this.#final ? endOf(record) : record.timestamp;
    }
    if (time - record.timestamp > this.#lag.value) this.#lag.set(time - record.timestamp);
    const prior = this.#wantsOld ? this.#priorOf(record, found) : NO_PRIOR;
    const out = this.#written;
    out.clear();
    const { headerBytes, headerStart, headerEnd, valueBytes, valueStart, valueEnd } = record;
    writeBuffered(
      out,
      time,
      this.#wantsOld,
      prior.bytes,
      prior.start,
      prior.end,
      headerBytes,
      headerStart,
      headerEnd,
      valueBytes,
      valueStart,
      valueEnd,
    );
    rows.put(PLAIN, keyBytes, keyStart, keyEnd, out.bytes, 0, out.at, record.timestamp);
    this.#bytes.set(this.#bytes.value - before + keyEnd - keyStart + out.at);
    if (!found) this.#enter(time, keyBytes, keyStart, keyEnd);
  }

  /** What came out last for the key, or would have: what the first update that is held back replaces. */
  #priorOf(record: Rec, found: boolean): Part {
    const part = this.#prior;
    const row = this.#row;
    part.start = -1;
    if (found) {
      part.bytes = row.bytes;
      part.start = row.priorStart;
      part.end = row.priorEnd;
    } else if (record.old !== null) {
      const old = this.#old;
      old.clear();
      this.#valueSerde.encode(record.old, old);
      part.bytes = old.bytes;
      part.start = 0;
      part.end = old.at;
    }
    return part;
  }

  /** Gives a key its place in time. */
  #enter(time: Millis, key: Bytes, keyStart: number, keyEnd: number): void {
    const at = this.#orderKey;
    at.clear();
    at.int64(time);
    at.copy(key, keyStart, keyEnd);
    this.#order.put(PLAIN, at.bytes, 0, at.at, at.bytes, 0, 0, time);
    this.#count.set(this.#count.value + 1);
    if (time < this.#first.value) this.#first.set(time);
    if (time > this.#last.value) this.#last.set(time);
    // It may stand before the cursor.
    this.#cursor = undefined;
  }

  /** Where a full buffer fails: what is due may go now, as far as room is needed. */
  #makeRoom(): void {
    while (this.#isFull && this.#isDue && this.#load()) this.#letOut(this.#next);
    if (!this.#isFull) return;
    const { id, maxRecords, maxBytes } = this.#node;
    const bounds = [
      ...(maxRecords === null ? [] : [`${this.#count.value} records of at most ${maxRecords}`]),
      ...(maxBytes === null ? [] : [`${this.#bytes.value} bytes of at most ${maxBytes}`]),
    ];
    throw new FlowError(
      'suppress.full',
      `the buffer of ${id} holds ${bounds.join(' and ')}; raise the bound, or let rows out early with whenFull: 'emit-early'`,
    );
  }

  /** Moves the cursor to the first row in order; false where it is not to go yet, or there is none. May miss. */
  #load(): boolean {
    if (this.#cursor === undefined) {
      if (this.#first.value === NOTHING) return false;
      writeInt64(this.#from, 0, this.#first.value);
      this.#cursor = this.#order.scan(PLAIN, this.#from);
    }
    const cursor = this.#cursor;
    if (!cursor.next()) {
      this.#first.set(NOTHING);
      this.#cursor = undefined;
      return false;
    }
    this.#first.set(readInt64(cursor.key, cursor.keyStart));
    if (this.#isDue || this.#isFull) return true;
    this.#cursor = undefined;
    return false;
  }

  /** Takes the row at the cursor out of the buffer, and passes it on. */
  #letOut(next: Push | undefined): void {
    const cursor = this.#cursor!;
    const rows = this.#rows;
    const key = this.#key;
    key.clear();
    key.copy(cursor.key, cursor.keyStart, cursor.keyEnd);
    const found = rows.find(PLAIN, key.bytes, TIME_BYTES, key.at);
    assert(found, () => `${this.#node.id} has a place in time for a key without a row`);
    const { bytes, start, end, timestamp } = rows;
    this.#bytes.set(this.#bytes.value - (key.at - TIME_BYTES + end - start));
    this.#count.set(this.#count.value - 1);
    const row = this.#row;
    row.read(bytes, start, end);
    if (next !== undefined && !(this.#final && row.valueStart < 0)) this.#pass(next, timestamp);
    // whoever looks the row up further down still finds what came out before
    rows.delete(PLAIN, key.bytes, TIME_BYTES, key.at);
    this.#order.delete(PLAIN, key.bytes, 0, key.at);
  }

  /** Passes the row at hand on. */
  #pass(next: Push, timestamp: Millis): void {
    const key = this.#key;
    const row = this.#row;
    const { bytes } = row;
    const out = this.#out;
    out.timestamp = timestamp;
    out.bodyStart = -1;
    out.headerBytes = bytes;
    out.headerStart = row.headerStart;
    out.headerEnd = row.headerEnd;
    out.setKeyBytes(this.#keySerde, this.#keyView, key.bytes, TIME_BYTES, key.at);
    out.setValueBytes(this.#valueSerde, this.#valueView, bytes, row.valueStart, row.valueEnd);
    if (this.#wantsOld) out.old = row.priorStart < 0 ? null : this.#oldView(bytes, row.priorStart, row.priorEnd);
    next(out);
  }
}

interface Part {
  bytes: Bytes;
  /** -1: null. */
  start: number;
  end: number;
}

const NO_PRIOR: Part = { bytes: EMPTY, start: -1, end: -1 };

/** A window that never ends has its place behind all others. */
function endOf(record: Rec): Millis {
  return Math.min((record.key as Windowed<unknown>).end, Number.MAX_SAFE_INTEGER);
}

function bytesTable(context: OperatorContext, store: string): BytesTable {
  const table = context.table(store);
  assert(table.kind === 'bytes', () => `store ${store} holds bytes`);
  return table;
}
