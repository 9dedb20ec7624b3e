import { type Bytes, ByteWriter, EMPTY, readInt32, readInt64 } from '../core/bytes.ts';
import type { Millis, Position } from '../core/ids.ts';
import type { Settling } from '../core/step.ts';
import type { Serde, View } from '../schemas/schemas.ts';
import { type BytesTable, PLAIN, type Scan } from '../state/state.ts';
import type { CallSettings } from '../topology/plan.ts';
import type { Caller, CallResults } from './calls.ts';
import type { KeptNumber, OperatorContext } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

/** A record of which a call is on its way, or whose result waits for its turn. */
export interface InFlight {
  readonly sequence: number;
  /** Plain values, which may be kept. */
  readonly key: unknown;
  readonly value: unknown;
  /** The key's bytes as text, which tells keys apart; `undefined` without a key. */
  readonly keyText: string | undefined;
  readonly row: Row;
}

interface Row {
  readonly timestamp: Millis;
  readonly position: Position;
  readonly headers: Bytes | null;
  readonly key: Bytes | null;
  readonly value: Bytes | null;
}

interface Entry extends InFlight {
  /** It was taken up from its row. */
  readonly restored: boolean;
  /** Whose turn comes one after the other; `undefined`: nobody waits for another. */
  readonly queue: string | undefined;
  state: 'open' | 'done' | 'failed';
  result: unknown;
}

export interface InFlightOptions {
  readonly node: string;
  readonly store: string;
  readonly settings: CallSettings;
  /** Sees to it that `finish` or `fail` is called, at once or later. Called when the record's step has settled. */
  begin(inFlight: InFlight, caller: Caller): void;
  /** Pushes a result on. The record is the one that came in; it may be changed. */
  emit(record: Rec, result: unknown): void;
}

/**
 * The records in flight of one operator, and the order in which their results leave: by key, in the order taken; by
 * partition, in that order over all keys; or as they come. Records without a key have no order by key.
 *
 * A row is a record, its key a running number. Beside the rows stand the same records in memory, which are made of
 * the rows again when the task is opened. What a step takes in and lets out shows there when the step has settled.
 */
export class CallsInFlight implements CallResults, Settling {
  readonly node: string;
  readonly caller: Caller;
  readonly #options: InFlightOptions;
  readonly #context: OperatorContext;
  readonly #table: BytesTable;
  readonly #sequence: KeptNumber;
  readonly #keySerde: Serde<unknown>;
  readonly #valueSerde: Serde<unknown>;
  readonly #keyView: View<unknown>;
  readonly #valueView: View<unknown>;
  readonly #key = new ByteWriter(8);
  readonly #row = new ByteWriter(256);
  readonly #out = new Rec();

  readonly #inFlight = new Set<Entry>();
  readonly #queues = new Map<string, Entry[]>();
  readonly #ready: Entry[] = [];
  /** Those whose calls wait for a commit, in the order taken. */
  readonly #uncommitted: Entry[] = [];
  /** How many of them are in the epoch that is on its way. */
  #onTheirWay = 0;
  #touchedIn = -1;
  #taken: Entry[] = [];
  #released = false;

  constructor(options: InFlightOptions, context: OperatorContext) {
    const { node, store, settings } = options;
    this.node = node;
    this.#options = options;
    this.#context = context;
    this.#table = context.table(store) as BytesTable;
    this.#sequence = context.number('sequence', 0);
    const { key, value } = context.storeSerdes(store);
    this.#keySerde = key;
    this.#valueSerde = value;
    this.#keyView = shared(key, `${node} called key`, () => key.view());
    this.#valueView = shared(value, `${node} called`, () => value.view());
    this.caller = context.calls(settings, this);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** The oldest timestamp of a record in flight, or Infinity. */
  held(): Millis {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { row } of this.#inFlight) if (row.timestamp < oldest) oldest = row.timestamp;
    return oldest;
  }

  /** A record that brings several at once is taken wholly, so there may be more. */
  get full(): boolean {
    return this.#inFlight.size >= this.#options.settings.concurrency;
  }

  get ready(): boolean {
    return this.#ready.length > 0;
  }

  /** A record with this key would leave at once, ahead of nobody that it has to wait for. */
  mayPass(keyText: string | undefined): boolean {
    const { order } = this.#options.settings;
    if (order === 'none') return true;
    if (order === 'key') return keyText === undefined || !this.#queues.has(keyText);
    return this.#inFlight.size === 0 && this.#taken.length === 0;
  }

  keyText(record: Rec): string | undefined {
    if (record.keyIsNull) return undefined;
    record.encodeKey(this.#keySerde);
    return record.keyBytes.toString('latin1', record.keyStart, record.keyEnd);
  }

  take(record: Rec): void {
    if (this.full) this.caller.waitFor();
    this.#touch();
    record.encodeKey(this.#keySerde);
    record.encodeValue(this.#valueSerde);
    const { headerBytes, headerStart, headerEnd, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } =
      record;
    const row: Row = {
      timestamp: record.timestamp,
      position: record.position,
      headers: copy(headerBytes, headerStart, headerEnd),
      key: copy(keyBytes, keyStart, keyEnd),
      value: copy(valueBytes, valueStart, valueEnd),
    };
    const sequence = this.#sequence.value + 1;
    this.#sequence.set(sequence);
    this.#put(sequence, row);
    this.#taken.push(this.#entry(sequence, row, false));
  }

  /** Takes up again what was in flight when the task was last committed. */
  start(): void {
    this.#touch();
    const rows = this.#table.scan(PLAIN);
    while (rows.next()) this.#taken.push(this.#entry(readInt64(rows.key, rows.keyStart), readRow(rows), true));
  }

  finish(inFlight: InFlight, result: unknown): void {
    this.#end(inFlight as Entry, 'done', result);
  }

  fail(inFlight: InFlight, reason: unknown): void {
    this.#end(inFlight as Entry, 'failed', reason);
  }

  release(): void {
    const entry = this.#leave();
    if (entry.state === 'failed') throw entry.result;
    this.#options.emit(this.#record(entry), entry.result);
  }

  giveUp(): Rec {
    return this.#record(this.#leave());
  }

  rollback(): void {
    this.#taken = [];
    this.#released = false;
  }

  settle(): void {
    if (this.#released) this.#remove();
    const taken = this.#taken;
    this.#taken = [];
    for (const entry of taken) {
      this.#inFlight.add(entry);
      if (entry.queue !== undefined) {
        const queue = this.#queues.get(entry.queue);
        if (queue === undefined) this.#queues.set(entry.queue, [entry]);
        else queue.push(entry);
      }
    }
    const waits = this.#options.settings.begin === 'committed';
    for (const entry of taken) {
      if (waits && !entry.restored) this.#uncommitted.push(entry);
      else this.#options.begin(entry, this.caller);
    }
  }

  cut(): void {
    this.#onTheirWay = this.#uncommitted.length;
  }

  committed(): void {
    for (const entry of this.#uncommitted.splice(0, this.#onTheirWay)) this.#options.begin(entry, this.caller);
    this.#onTheirWay = 0;
  }

  #touch(): void {
    const { step } = this.#context;
    if (this.#touchedIn === step.serial) return;
    this.#touchedIn = step.serial;
    step.touchSettling(this);
  }

  #leave(): Entry {
    this.#touch();
    const entry = this.#ready[0]!;
    this.#released = true;
    this.#setKey(entry.sequence);
    this.#table.delete(PLAIN, this.#key.bytes, 0, this.#key.at);
    return entry;
  }

  #remove(): void {
    this.#released = false;
    const entry = this.#ready.shift()!;
    const { queue } = entry;
    this.#inFlight.delete(entry);
    if (queue === undefined) return;
    const others = this.#queues.get(queue)!;
    others.shift();
    const next = others[0];
    if (next === undefined) this.#queues.delete(queue);
    else if (next.state !== 'open') this.#ready.push(next);
  }

  #end(entry: Entry, state: 'done' | 'failed', result: unknown): void {
    entry.state = state;
    entry.result = result;
    if (entry.queue === undefined || this.#queues.get(entry.queue)![0] === entry) this.#ready.push(entry);
  }

  #entry(sequence: number, row: Row, restored: boolean): Entry {
    const { key, value } = row;
    const keyText = key === null ? undefined : key.toString('latin1');
    const { order } = this.#options.settings;
    return {
      sequence,
      restored,
      row,
      keyText,
      // within the step, since the schema of a record may have to be fetched
      key: key === null ? null : this.#keySerde.read(key, 0, key.length),
      value: value === null ? null : this.#valueSerde.read(value, 0, value.length),
      queue: order === 'none' ? undefined : order === 'key' ? keyText : '',
      state: 'open',
      result: undefined,
    };
  }

  #record({ row }: Entry): Rec {
    const out = this.#out;
    const { headers, key, value } = row;
    out.timestamp = row.timestamp;
    out.position = row.position;
    out.latest = true;
    out.bodyStart = -1;
    out.headerBytes = headers ?? EMPTY;
    out.headerStart = headers === null ? -1 : 0;
    out.headerEnd = headers === null ? -1 : headers.length;
    out.setKeyBytes(this.#keySerde, this.#keyView, key ?? EMPTY, key === null ? -1 : 0, key?.length ?? -1);
    out.setValueBytes(this.#valueSerde, this.#valueView, value ?? EMPTY, value === null ? -1 : 0, value?.length ?? -1);
    return out;
  }

  #setKey(sequence: number): void {
    this.#key.clear();
    this.#key.int64(sequence);
  }

  /** Position, headers, key, value; each part but the first with its length before it, -1 where there is none. */
  #put(sequence: number, { timestamp, position, headers, key, value }: Row): void {
    this.#setKey(sequence);
    const row = this.#row;
    row.clear();
    row.int64(position);
    for (const part of [headers, key, value]) {
      row.int32(part === null ? -1 : part.length);
      if (part !== null) row.copy(part, 0, part.length);
    }
    this.#table.put(PLAIN, this.#key.bytes, 0, this.#key.at, row.bytes, 0, row.at, timestamp);
  }
}

function copy(bytes: Bytes, start: number, end: number): Bytes | null {
  return start < 0 ? null : Buffer.from(bytes.subarray(start, end));
}

function readRow({ bytes, start, timestamp }: Scan): Row {
  let at = start + POSITION_BYTES;
  const part = (): Bytes | null => {
    const length = readInt32(bytes, at);
    at += LENGTH_BYTES;
    if (length < 0) return null;
    at += length;
    return copy(bytes, at - length, at);
  };
  return { timestamp, position: readInt64(bytes, start), headers: part(), key: part(), value: part() };
}

const POSITION_BYTES = 8;
const LENGTH_BYTES = 4;
