import { type Bytes, EMPTY } from '../../core/bytes.ts';
import type { Settling, Step, Undoable } from '../../core/step.ts';
import type { BytesTable, CellTable, Scan, TableSpec } from '../../state/state.ts';

/** A row as anybody would write it: `value` of a bytes table, or `cells` with the timestamp in front. */
interface Row {
  readonly key: Buffer;
  value: Buffer;
  timestamp: number;
  cells: Float64Array;
}

type Panes = Map<number, Map<string, Row>>;

/** Misses at will: called before every read. */
export type Interrupt = () => void;

/**
 * A table of the state contract over maps: slow, obvious, and the oracle for the real ones. It holds its callers to
 * the contract: whatever a call has lent is spoiled by the next one, bytes by the first of another step.
 */
export class NaiveTable implements Settling {
  readonly name: string;
  readonly kind: 'bytes' | 'cells';
  readonly width: number;
  bytes: Bytes = EMPTY;
  start = 0;
  end = 0;
  timestamp = 0;
  cells: Float64Array = new Float64Array(1);
  base = 1;

  #panes: Panes = new Map();
  readonly #step: Step;
  readonly #interrupt: Interrupt;
  readonly #undo: (() => void)[] = [];
  #touchedIn = -1;
  #lentRow: Row | undefined;
  readonly #lentBytes: Bytes[] = [];
  #lentIn = -1;

  constructor(spec: TableSpec, step: Step, interrupt: Interrupt = () => {}) {
    this.name = spec.name;
    this.kind = spec.cells === undefined ? 'bytes' : 'cells';
    this.width = spec.cells?.width ?? 0;
    this.#step = step;
    this.#interrupt = interrupt;
  }

  get firstPane(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#panes.keys());
  }

  panes(from = Number.NEGATIVE_INFINITY): readonly number[] {
    return [...this.#panes.keys()].filter((pane) => pane >= from).sort((a, b) => a - b);
  }

  find(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    this.#spoil();
    this.#interrupt();
    const row = this.#panes.get(pane)?.get(name(key, keyStart, keyEnd));
    if (row === undefined) return false;
    this.bytes = Buffer.from(row.value);
    this.#lentBytes.push(this.bytes);
    this.start = 0;
    this.end = row.value.length;
    this.timestamp = row.timestamp;
    this.cells = Float64Array.from(row.cells);
    return true;
  }

  update(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    this.#spoil();
    this.#interrupt();
    const id = name(key, keyStart, keyEnd);
    const old = this.#panes.get(pane)?.get(id);
    const row: Row = {
      key: Buffer.from(key.subarray(keyStart, keyEnd)),
      value: EMPTY,
      timestamp: 0,
      cells: old === undefined ? new Float64Array(1 + this.width) : Float64Array.from(old.cells),
    };
    this.#set(pane, id, row);
    this.#lentRow = row;
    this.cells = row.cells;
    return old !== undefined;
  }

  put(
    pane: number,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void {
    this.#spoil();
    this.#set(pane, name(key, keyStart, keyEnd), {
      key: Buffer.from(key.subarray(keyStart, keyEnd)),
      value: Buffer.from(value.subarray(valueStart, valueEnd)),
      timestamp,
      cells: new Float64Array(1),
    });
  }

  delete(pane: number, key: Bytes, keyStart: number, keyEnd: number): void {
    this.#spoil();
    this.#set(pane, name(key, keyStart, keyEnd), undefined);
  }

  dropPane(pane: number): void {
    this.#spoil();
    const rows = this.#panes.get(pane);
    if (rows === undefined) return;
    this.#change(() => this.#panes.set(pane, rows));
    this.#panes.delete(pane);
  }

  scan(pane: number, from?: Bytes, to?: Bytes): Scan {
    this.#spoil();
    const rows = [...(this.#panes.get(pane)?.values() ?? [])]
      .filter(
        (row) => (from === undefined || row.key.compare(from) >= 0) && (to === undefined || row.key.compare(to) < 0),
      )
      .sort((a, b) => a.key.compare(b.key));
    return new NaiveScan(rows, this.#step, this.#interrupt);
  }

  isCold(): boolean {
    return true;
  }

  ahead(): void {
    this.#spoil();
  }

  last(pane: number, from?: Bytes, to?: Bytes): Scan | undefined {
    let rows = 0;
    for (const scan = this.scan(pane, from, to); scan.next(); ) rows++;
    if (rows === 0) return undefined;
    const scan = this.scan(pane, from, to);
    for (let i = 0; i < rows; i++) scan.next();
    return scan;
  }

  /** All rows, for comparing and keeping. */
  save(): () => void {
    this.#spoil();
    const kept: Panes = new Map([...this.#panes].map(([pane, rows]) => [pane, new Map(rows)]));
    return () => {
      this.#panes = new Map([...kept].map(([pane, rows]) => [pane, new Map(rows)]));
      this.#touchedIn = -1;
      this.#undo.length = 0;
      this.#lentRow = undefined;
    };
  }

  /** The same in words, for telling states apart. */
  text(): string {
    let all = '';
    for (const [pane, rows] of this.#panes) {
      for (const id of [...rows.keys()].sort()) {
        const { value, timestamp, cells } = rows.get(id)!;
        all += `${pane} ${id.length} ${id} ${value.length} ${value.toString('latin1')} ${timestamp} ${cells.join()};`;
      }
    }
    return all;
  }

  rollback(): void {
    this.#lentRow = undefined;
    while (this.#undo.length > 0) this.#undo.pop()!();
  }

  settle(): void {
    this.#spoil();
    this.#undo.length = 0;
  }

  #set(pane: number, id: string, row: Row | undefined): void {
    const rows = this.#panes.get(pane) ?? new Map<string, Row>();
    const old = rows.get(id);
    const put = (next: Row | undefined) => {
      if (next === undefined) rows.delete(id);
      else rows.set(id, next);
      if (rows.size === 0) this.#panes.delete(pane);
      else this.#panes.set(pane, rows);
    };
    this.#change(() => put(old));
    put(row);
  }

  #change(undo: () => void): void {
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#step.touchSettling(this);
    }
    this.#undo.push(undo);
  }

  /** What was lent before must not be looked at or written any more: it is taken back and filled with rubbish. */
  #spoil(): void {
    const row = this.#lentRow;
    if (row !== undefined) row.cells = Float64Array.from(row.cells);
    this.#lentRow = undefined;
    if (this.#lentIn !== this.#step.serial) {
      for (const bytes of this.#lentBytes) bytes.fill(0xee);
      this.#lentBytes.length = 0;
      this.#lentIn = this.#step.serial;
    }
    this.cells.fill(Number.NaN);
    this.bytes = Buffer.alloc(0);
    this.cells = new Float64Array(1);
  }
}

class NaiveScan implements Scan, Undoable {
  key: Bytes = EMPTY;
  readonly keyStart = 0;
  keyEnd = 0;
  bytes: Bytes = EMPTY;
  readonly start = 0;
  end = 0;
  cells: Float64Array = new Float64Array(1);
  readonly base = 1;
  timestamp = 0;
  readonly #rows: readonly Row[];
  readonly #step: Step;
  readonly #interrupt: Interrupt;
  #at = 0;
  #touchedIn = -1;
  #savedAt = 0;

  constructor(rows: readonly Row[], step: Step, interrupt: Interrupt) {
    this.#rows = rows;
    this.#step = step;
    this.#interrupt = interrupt;
  }

  rollback(): void {
    this.#at = this.#savedAt;
  }

  next(): boolean {
    if (this.#touchedIn !== this.#step.serial) {
      this.#touchedIn = this.#step.serial;
      this.#savedAt = this.#at;
      this.#step.touch(this);
    }
    this.key.fill(0xee);
    this.bytes.fill(0xee);
    this.cells.fill(Number.NaN);
    this.#interrupt();
    const row = this.#rows[this.#at];
    if (row === undefined) return false;
    this.#at++;
    this.key = Buffer.from(row.key);
    this.keyEnd = this.key.length;
    this.bytes = Buffer.from(row.value);
    this.end = this.bytes.length;
    this.cells = Float64Array.from(row.cells);
    this.timestamp = row.cells.length > 1 ? row.cells[0]! : row.timestamp;
    return true;
  }
}

/** The naive table as one of the two forms of the contract. */
export function createNaiveTable(
  spec: TableSpec,
  step: Step,
  interrupt?: Interrupt,
): NaiveTable & (BytesTable | CellTable) {
  return new NaiveTable(spec, step, interrupt) as NaiveTable & (BytesTable | CellTable);
}

function name(key: Bytes, start: number, end: number): string {
  return key.toString('latin1', start, end);
}
