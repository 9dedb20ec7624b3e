import { type Bytes, ByteWriter, readInt32, readInt64 } from '../core/bytes.ts';
import type { Step, Undoable } from '../core/step.ts';
import type { Serde } from '../schemas/schemas.ts';
import { type BytesTable, PLAIN, type Scan } from '../state/state.ts';
import type { KeptNumber, OperatorContext, ResumableScan } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

/** A subscription lies by the length of its foreign key, the foreign key, and the left key. */
export const LENGTH_BYTES = 4;
/** Stands where a subscription has the length of its foreign key; behind all of them. */
const WAITING = -1;
/** Position, length of the key, length of the headers, length of the value. */
const HEAD_BYTES = 20;
/** So many subscribers are answered with the update itself. */
const AT_ONCE = 64;

/** Sends the value of a right row, which lies encoded in the record, to the subscriber of a row of the store. */
export type SendTo = (record: Rec, subscription: Scan, leftStart: number) => void;

/**
 * Brings an update of a right row to all who subscribe to it: rows of the store that begin with its key. A few are
 * answered within the step of the update. Where there are more, the update waits in the same store, and its subscribers
 * are answered a step each, with commits between them: kept numbers say which updates wait, and how many subscribers of
 * the first have been answered. A count is a safe place to stand, since no subscription is taken meanwhile. While one
 * waits all that come wait behind it, so that no subscriber sees them in another order.
 */
export class ForeignFanOut implements ResumableScan, Undoable {
  readonly #context: OperatorContext;
  readonly #step: Step;
  readonly #table: BytesTable;
  readonly #send: SendTo;
  readonly #value: Serde<unknown>;
  /** Numbers of the first update that waits, and of the next one to come; and subscribers of the first answered. */
  readonly #first: KeptNumber;
  readonly #next: KeptNumber;
  readonly #answered: KeptNumber;
  readonly #key = new ByteWriter(64);
  readonly #row = new ByteWriter(256);
  readonly #waiting = new Rec();
  readonly #load: (bytes: Bytes, start: number) => void;

  /** An open cursor over the subscribers of the first update, and how many it has been moved over. */
  #scan: Scan | undefined;
  #seen = 0;
  #savedSeen = 0;
  #touchedIn = -1;

  constructor(context: OperatorContext, store: string, value: Serde<unknown>, send: SendTo) {
    this.#context = context;
    this.#step = context.step;
    this.#table = context.table(store) as BytesTable;
    this.#send = send;
    this.#value = value;
    this.#first = context.number('first-waiting', 0);
    this.#next = context.number('next-waiting', 0);
    this.#answered = context.number('answered', 0);
    const { key } = context.storeSerdes(store);
    const keyView = shared(key, `${store} waiting key`, () => key.view());
    const valueView = shared(value, `${store} waiting`, () => value.view());
    const record = this.#waiting;
    this.#load = (bytes, start) => {
      record.position = readInt64(bytes, start);
      const keyStart = start + HEAD_BYTES;
      const headersAt = keyStart + readInt32(bytes, start + 8);
      const headers = readInt32(bytes, start + 12);
      const valueStart = headersAt + Math.max(0, headers);
      const length = readInt32(bytes, start + 16);
      record.headerBytes = bytes;
      record.headerStart = headers < 0 ? -1 : headersAt;
      record.headerEnd = headersAt + Math.max(0, headers);
      record.setKeyBytes(key, keyView, bytes, keyStart, headersAt);
      record.setValueBytes(value, valueView, bytes, length < 0 ? -1 : valueStart, valueStart + Math.max(0, length));
    };
  }

  /** An update, its key encoded. */
  take(record: Rec): void {
    record.encodeValue(this.#value);
    if (this.#first.value === this.#next.value) {
      const scan = this.#open(record);
      const leftAt = LENGTH_BYTES + record.keyEnd - record.keyStart;
      for (let left = AT_ONCE; left > 0; left--) {
        if (!scan.next()) return;
        this.#send(record, scan, scan.keyStart + leftAt);
      }
      this.#answered.set(AT_ONCE);
    }
    this.#wait(record);
    this.#context.scan(this);
  }

  /** Goes on with what a crash has cut short. */
  resume(): void {
    if (this.#first.value < this.#next.value) this.#context.scan(this);
  }

  advance(): boolean {
    const number = this.#first.value;
    if (number === this.#next.value) return false;
    const row = this.#find(number);
    const answered = this.#answered.value;
    const scan = this.#moveTo(row, answered);
    if (scan === undefined) {
      this.#remove(number);
      return true;
    }
    this.#answered.set(answered + 1);
    this.#send(row, scan, scan.keyStart + LENGTH_BYTES + row.keyEnd - row.keyStart);
    return true;
  }

  skip(): void {
    this.#answered.set(this.#answered.value + 1);
  }

  rollback(): void {
    this.#seen = this.#savedSeen;
  }

  #wait(record: Rec): void {
    const number = this.#next.value;
    this.#next.set(number + 1);
    const { keyStart, keyEnd, headerStart, headerEnd, valueStart, valueEnd } = record;
    const out = this.#row;
    out.clear();
    out.int64(record.position);
    out.int32(keyEnd - keyStart);
    out.int32(headerStart < 0 ? -1 : headerEnd - headerStart);
    out.int32(valueStart < 0 ? -1 : valueEnd - valueStart);
    out.copy(record.keyBytes, keyStart, keyEnd);
    if (headerStart >= 0) out.copy(record.headerBytes, headerStart, headerEnd);
    if (valueStart >= 0) out.copy(record.valueBytes, valueStart, valueEnd);
    const key = this.#keyOf(number);
    this.#table.put(PLAIN, key.bytes, 0, key.at, out.bytes, 0, out.at, record.timestamp);
  }

  /** The update that waits under a number; valid until the step ends. May miss. */
  #find(number: number): Rec {
    const key = this.#keyOf(number);
    this.#table.find(PLAIN, key.bytes, 0, key.at);
    this.#waiting.timestamp = this.#table.timestamp;
    this.#waiting.bodyStart = -1;
    this.#load(this.#table.bytes, this.#table.start);
    return this.#waiting;
  }

  #remove(number: number): void {
    const key = this.#keyOf(number);
    this.#table.delete(PLAIN, key.bytes, 0, key.at);
    this.#first.set(number + 1);
    this.#answered.set(0);
    this.#scan = undefined;
  }

  /** The cursor at the first subscriber not yet answered; `undefined` where there is none. May miss. */
  #moveTo(record: Rec, answered: number): Scan | undefined {
    if (this.#scan === undefined || this.#seen > answered) {
      this.#scan = this.#open(record);
      this.#seen = 0;
    }
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#savedSeen = this.#seen;
      this.#step.touch(this);
    }
    while (this.#seen <= answered) {
      if (!this.#scan.next()) return undefined;
      this.#seen++;
    }
    return this.#scan;
  }

  #open({ keyBytes, keyStart, keyEnd }: Rec): Scan {
    const key = this.#key;
    key.clear();
    key.int32(keyEnd - keyStart);
    key.copy(keyBytes, keyStart, keyEnd);
    const from = key.take();
    return this.#table.scan(PLAIN, from, behind(from));
  }

  #keyOf(number: number): ByteWriter {
    const key = this.#key;
    key.clear();
    key.int32(WAITING);
    key.int64(number);
    return key;
  }
}

/** The first key behind all that begin with a prefix, which begins with a length and so is not all ones. */
function behind(prefix: Bytes): Bytes {
  const end = Buffer.from(prefix);
  let at = end.length - 1;
  while (end[at] === 0xff) end[at--] = 0;
  end[at]!++;
  return end;
}
