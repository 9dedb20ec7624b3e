import { type Bytes, ByteWriter, readInt32, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { type BytesTable, PLAIN, type Scan } from '../state/state.ts';
import type { KeptNumber, OperatorClock, OperatorContext, Push, ResumableScan } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

const TIME_BYTES = 8;
const SEQUENCE_BYTES = 4;
const SEQUENCES = 2 ** 31;
/** Position and length of the headers. */
const HEAD_BYTES = 12;

/**
 * Records of a stream that wait until the clock, which is the store's, is ahead of them by the grace: so a record that
 * goes in lets others out. They come out by time, then by key bytes, then as they came, a step each: a commit or a crash
 * may fall between any two. A row is a record: its key is time, key and a running number, its value all else.
 */
export class JoinBuffer implements ResumableScan {
  readonly #table: BytesTable;
  readonly #context: OperatorContext;
  readonly #clock: OperatorClock;
  readonly #graceMs: Millis;
  readonly #sequence: KeptNumber;
  /** The latest time that ever waited: the clock of a stage may be behind it. */
  readonly #latest: KeptNumber;
  readonly #released: Push;
  readonly #key = new ByteWriter(64);
  readonly #value = new ByteWriter(256);
  readonly #fill: (record: Rec, row: Scan) => void;
  readonly #encode: (record: Rec) => void;
  readonly #out = new Rec();
  /** The time of the first row: never later than is true. */
  #first: Millis = Number.NEGATIVE_INFINITY;
  /** Open while rows come out; nothing goes in meanwhile. */
  #scan: Scan | undefined;

  constructor(node: string, store: string, graceMs: Millis, context: OperatorContext, released: Push) {
    this.#table = context.table(store) as BytesTable;
    this.#context = context;
    this.#clock = context.storeClock(store);
    this.#graceMs = graceMs;
    this.#sequence = context.number('sequence', 0);
    this.#latest = context.number('latest', 0);
    this.#released = released;
    const { key, value } = context.storeSerdes(store);
    const keyView = shared(key, `${node} waiting key`, () => key.view());
    const valueView = shared(value, `${node} waiting`, () => value.view());
    this.#encode = (record) => {
      record.encodeKey(key);
      record.encodeValue(value);
    };
    this.#fill = (record, row) => {
      record.setKeyBytes(key, keyView, row.key, row.keyStart + TIME_BYTES, row.keyEnd - SEQUENCE_BYTES);
      const valueStart = row.start + HEAD_BYTES + Math.max(0, readInt32(row.bytes, row.start + TIME_BYTES));
      record.setValueBytes(value, valueView, row.bytes, valueStart, row.end);
    };
  }

  /**
   * Takes a record with a key and a value in, and lets others out; false where the clock is ahead of it already by more
   * than the grace.
   */
  take(record: Rec): boolean {
    this.#clock.see(record.timestamp);
    if (record.timestamp < this.#until) return false;
    this.#put(record);
    this.release();
    return true;
  }

  #put(record: Rec): void {
    this.#encode(record);
    const sequence = (this.#sequence.value + 1) % SEQUENCES;
    this.#sequence.set(sequence);
    const key = this.#key;
    key.clear();
    key.int64(record.timestamp);
    key.copy(record.keyBytes, record.keyStart, record.keyEnd);
    key.int32(sequence);
    const value = this.#value;
    value.clear();
    value.int64(record.position);
    const { headerStart, headerEnd } = record;
    value.int32(headerStart < 0 ? -1 : headerEnd - headerStart);
    if (headerStart >= 0) value.copy(record.headerBytes, headerStart, headerEnd);
    value.copy(record.valueBytes, record.valueStart, record.valueEnd);
    this.#table.put(PLAIN, key.bytes, 0, key.at, value.bytes, 0, value.at, record.timestamp);
    if (record.timestamp < this.#first) this.#first = record.timestamp;
    if (record.timestamp > this.#latest.value) this.#latest.set(record.timestamp);
  }

  /** Lets out, behind the step at hand, what has waited long enough; also what a crash has cut short. */
  release(): void {
    if (this.#first <= this.#until) this.#context.scan(this);
  }

  /** The time of the oldest record that waits, or less where that is not known; Infinity where none does. */
  held(): Millis {
    return this.#table.firstPane === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : this.#first;
  }

  /** Lets everything out. */
  end(): void {
    if (this.#table.firstPane === Number.POSITIVE_INFINITY) return;
    this.#clock.finish(Math.max(this.#clock.value, this.#latest.value) + this.#graceMs);
    this.release();
  }

  advance(): boolean {
    const row = this.#next();
    if (row === undefined) return false;
    const out = this.#out;
    out.timestamp = row.timestamp;
    out.position = readInt64(row.bytes, row.start);
    const headers = readInt32(row.bytes, row.start + TIME_BYTES);
    out.headerBytes = row.bytes;
    out.headerStart = headers < 0 ? -1 : row.start + HEAD_BYTES;
    out.headerEnd = out.headerStart + headers;
    out.bodyStart = -1;
    this.#fill(out, row);
    this.#table.delete(PLAIN, row.key, row.keyStart, row.keyEnd);
    this.#released(out);
    return true;
  }

  skip(): void {
    const row = this.#next();
    if (row !== undefined) this.#table.delete(PLAIN, row.key, row.keyStart, row.keyEnd);
  }

  /** What is not later than this has waited long enough. */
  get #until(): Millis {
    return this.#clock.value - this.#graceMs;
  }

  /** Where rows begin: those that came out lie before it until the next commit, and each look would pass over them. */
  #from(): Bytes | undefined {
    if (!Number.isFinite(this.#first)) return undefined;
    this.#key.clear();
    this.#key.int64(this.#first);
    return this.#key.take();
  }

  /** The first row, if it has waited long enough. May miss. */
  #next(): Scan | undefined {
    this.#scan ??= this.#table.scan(PLAIN, this.#from());
    const scan = this.#scan;
    if (!scan.next()) this.#first = Number.POSITIVE_INFINITY;
    else if (scan.timestamp <= this.#until) {
      // what comes out now is back if the step is undone
      this.#first = Number.NEGATIVE_INFINITY;
      return scan;
    } else this.#first = scan.timestamp;
    this.#scan = undefined;
    return undefined;
  }
}
