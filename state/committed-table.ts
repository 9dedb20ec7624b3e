import { assert } from '../core/assert.ts';
import { type Bytes, compareBytes, EMPTY, readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Before } from './hot/before-rows.ts';
import { IMAGE_HEADER } from './image.ts';
import type { RowFormat, Scan, Table } from './state.ts';

/** Thrown where a pane was dropped and that is not committed: what it held can be told only when it is decided. */
export const UNDECIDED: Error = Object.freeze(
  Object.assign(new Error('a pane was dropped by an epoch that is not committed'), { name: 'Undecided', stack: '' }),
);

export interface CommittedParts {
  readonly live: Table;
  readonly format: RowFormat | undefined;
  /** Of the epochs that are not committed, oldest first. */
  readonly changes: readonly {
    readonly rows: ReadonlyMap<number, ReadonlyMap<string, Before>>;
    readonly drops: ReadonlySet<number>;
  }[];
  /** The image on disk of a row that is cold. May miss. */
  cold(before: Before): Bytes | null;
}

const NO_CELLS = new Float64Array(0);

/** The row that a table or a scan stands at, of either form. */
class Standing {
  bytes: Bytes = EMPTY;
  start = 0;
  end = 0;
  timestamp: Millis = 0;
  cells: Float64Array = NO_CELLS;
  base = 0;
  readonly #parts: CommittedParts;

  constructor(parts: CommittedParts) {
    this.#parts = parts;
  }

  /** Where the live table, or a scan of it, stands. */
  protected takeLive(live: Partial<Scan>): void {
    if (this.#parts.format !== undefined) {
      this.cells = live.cells!;
      this.base = live.base!;
      this.timestamp = this.cells[this.base - 1]!;
    } else {
      this.bytes = live.bytes!;
      this.start = live.start!;
      this.end = live.end!;
      this.timestamp = live.timestamp!;
    }
  }

  /** Whether there was a row. */
  protected take(before: Before): boolean {
    if (before.form === 'absent') return false;
    if (before.form === 'held') this.#takeHeld(before);
    else {
      const image = this.#parts.cold(before);
      if (image === null) return false;
      this.#takeImage(image);
    }
    return true;
  }

  #takeHeld({ value, timestamp }: Before): void {
    const { format } = this.#parts;
    this.timestamp = timestamp;
    if (format === undefined) {
      this.bytes = value;
      this.start = 0;
      this.end = value.length;
      return;
    }
    // as it lay in memory
    const row = new Float64Array(format.width + 1);
    row[0] = timestamp;
    new Uint8Array(row.buffer).set(value, Float64Array.BYTES_PER_ELEMENT);
    this.cells = row;
    this.base = 1;
  }

  #takeImage(image: Bytes): void {
    const { format } = this.#parts;
    this.timestamp = readInt64(image, 1);
    if (format === undefined) {
      this.bytes = image;
      this.start = IMAGE_HEADER;
      this.end = image.length;
      return;
    }
    const row = new Float64Array(format.width + 1);
    row[0] = this.timestamp;
    format.decode(image, IMAGE_HEADER, image.length, row, 1);
    this.cells = row;
    this.base = 1;
  }
}

/**
 * A table as committed epochs left it, to be read between two steps of its task: the rows as they are, and in place of
 * those that later epochs changed what they were before. It reads as the live table does, and may miss as that does.
 */
export class CommittedTable extends Standing {
  readonly kind: Table['kind'];
  readonly name: string;
  readonly width: number;
  readonly #parts: CommittedParts;

  constructor(parts: CommittedParts) {
    super(parts);
    this.#parts = parts;
    this.kind = parts.live.kind;
    this.name = parts.live.name;
    this.width = parts.format?.width ?? 0;
  }

  find(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean {
    this.#checkDecided(pane);
    const name = key.toString('latin1', keyStart, keyEnd);
    for (const { rows } of this.#parts.changes) {
      const before = rows.get(pane)?.get(name);
      if (before !== undefined) return this.take(before);
    }
    const { live } = this.#parts;
    if (!live.find(pane, key, keyStart, keyEnd)) return false;
    this.takeLive(live);
    return true;
  }

  get firstPane(): number {
    return this.panes()[0] ?? Number.POSITIVE_INFINITY;
  }

  panes(from = Number.NEGATIVE_INFINITY): readonly number[] {
    const all = new Set(this.#parts.live.panes(from));
    for (const { rows, drops } of this.#parts.changes) {
      for (const pane of [...rows.keys(), ...drops]) if (pane >= from) all.add(pane);
    }
    return [...all].sort((a, b) => a - b);
  }

  scan(pane: number, from?: Bytes, to?: Bytes): Scan {
    this.#checkDecided(pane);
    const changed = new Map<string, Before>();
    for (const { rows } of this.#parts.changes) {
      for (const [name, before] of rows.get(pane) ?? []) {
        const { key } = before;
        const isWithin = (from === undefined || key.compare(from) >= 0) && (to === undefined || key.compare(to) < 0);
        if (isWithin && !changed.has(name)) changed.set(name, before);
      }
    }
    const sorted = [...changed.values()].sort((a, b) => a.key.compare(b.key));
    return new CommittedScan(this.#parts, this.#parts.live.scan(pane, from, to), sorted);
  }

  last(pane: number, from?: Bytes, to?: Bytes): Scan | undefined {
    let last: Bytes | undefined;
    for (const scan = this.scan(pane, from, to); scan.next(); ) {
      last = Buffer.from(scan.key.subarray(scan.keyStart, scan.keyEnd));
    }
    if (last === undefined) return undefined;
    const found = this.scan(pane, last, to);
    found.next();
    return found;
  }

  isCold(pane: number): boolean {
    return this.#parts.live.isCold(pane);
  }

  unsorted(pane: number): number {
    return this.#parts.live.unsorted(pane);
  }

  ahead(): void {}

  dropPane(): never {
    return this.#refuse();
  }

  delete(): never {
    return this.#refuse();
  }

  put(): never {
    return this.#refuse();
  }

  update(): never {
    return this.#refuse();
  }

  #refuse(): never {
    assert(false, () => `committed rows of ${this.name} are read only`);
    throw UNDECIDED;
  }

  #checkDecided(pane: number): void {
    if (this.#parts.changes.some(({ drops }) => drops.has(pane))) throw UNDECIDED;
  }
}

/** Two sorted lists as one: the live rows, and what was in place of those that changed. */
class CommittedScan extends Standing implements Scan {
  key: Bytes = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  readonly #live: Scan;
  readonly #changed: readonly Before[];
  #at = 0;
  #isLive = false;
  #moves = true;

  constructor(parts: CommittedParts, live: Scan, changed: readonly Before[]) {
    super(parts);
    this.#live = live;
    this.#changed = changed;
  }

  next(): boolean {
    for (;;) {
      if (this.#moves) {
        this.#isLive = this.#live.next();
        this.#moves = false;
      }
      const before = this.#changed[this.#at];
      if (before === undefined && !this.#isLive) return false;
      const order = before === undefined ? -1 : this.#isLive ? this.#compare(before.key) : 1;
      if (order <= 0) this.#moves = true;
      if (order < 0) {
        this.takeLive(this.#live);
        this.#stand(this.#live.key, this.#live.keyStart, this.#live.keyEnd);
        return true;
      }
      this.#at++;
      if (this.take(before!)) {
        this.#stand(before!.key, 0, before!.key.length);
        return true;
      }
    }
  }

  #compare(key: Bytes): number {
    const { key: own, keyStart, keyEnd } = this.#live;
    return compareBytes(own, keyStart, keyEnd, key, 0, key.length);
  }

  #stand(key: Bytes, start: number, end: number): void {
    this.key = key;
    this.keyStart = start;
    this.keyEnd = end;
  }
}
