import type { KeyFilter } from './filter.ts';
import type { RowPages } from './pages.ts';
import { PanePages } from './pane-pages.ts';
import type { Segments } from './segments.ts';
import type { SortedRows } from './sorted.ts';

const SMALLEST = 32;
/** Words of the largest segment: two a slot. */
const LARGEST = 65536;
const DIRECTORY_SHIFT = 17;

/**
 * The hot rows of one pane by key hash: open addressing within segments, segments found through a directory
 * (extendible hashing). A segment grows to 32,768 slots and then splits, so growth never moves more than that.
 * A slot is two words: the hash, and the row's number + 1, 0 where it is empty.
 */
export class Pane {
  readonly value: number;
  /** Unique within the table; another pane of the same value after a drop has another id. */
  readonly id: number;
  readonly pages: PanePages;
  /** Some of its keys lie in the slab. */
  longKeys = false;
  directory: Int32Array[];
  directoryMask = 0;
  /** Rows in the index, and those of them that have a value. */
  rows = 0;
  live = 0;
  /** Every row of the pane is in memory. */
  complete: boolean;
  /** Where not complete: keys that may be on disk, or `undefined` where all may be. */
  filter: KeyFilter | undefined;
  /** Rows of it were ever encoded, or it was found on disk: dropping it needs a changelog record. */
  logged: boolean;
  dropped = false;
  /** Rises when rows enter or leave the index. */
  version = 0;
  /** Rises when a row that changed in this run is evicted: what a scan read ahead may be stale. */
  evictions = 0;
  sorted: SortedRows | undefined;
  /** A scan was opened since the last cut. */
  scanned = false;
  readonly #counts: number[] = [0];
  readonly #depths: number[] = [0];
  readonly #segments: Segments;

  constructor(value: number, id: number, onDisk: boolean, pages: RowPages, segments: Segments) {
    this.value = value;
    this.id = id;
    this.complete = !onDisk;
    this.logged = onDisk;
    this.pages = new PanePages(pages);
    this.#segments = segments;
    this.directory = [segments.take(SMALLEST)];
  }

  insert(hash: number, row: number): void {
    let place = (hash >>> DIRECTORY_SHIFT) & this.directoryMask;
    let segment = this.directory[place]!;
    if ((this.#counts[place]! + 1) * 8 > segment.length * 3) {
      this.#grow(place);
      place = (hash >>> DIRECTORY_SHIFT) & this.directoryMask;
      segment = this.directory[place]!;
    }
    put(segment, hash, row + 1);
    this.#count(place, 1);
    this.rows++;
    this.version++;
  }

  /** Takes the row out, closing the gap behind it. */
  remove(hash: number, row: number): void {
    const place = (hash >>> DIRECTORY_SHIFT) & this.directoryMask;
    const segment = this.directory[place]!;
    const mask = segment.length - 1;
    let gap = (hash << 1) & mask;
    while (segment[gap + 1] !== row + 1) gap = (gap + 2) & mask;
    for (let next = (gap + 2) & mask; segment[next + 1] !== 0; next = (next + 2) & mask) {
      const home = (segment[next]! << 1) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      segment[gap] = segment[next]!;
      segment[gap + 1] = segment[next + 1]!;
      gap = next;
    }
    segment[gap + 1] = 0;
    this.#count(place, -1);
    this.rows--;
    this.version++;
  }

  /** Numbers of all rows, in no order, into `target`; answers how many. */
  collect(target: Int32Array): number {
    let count = 0;
    for (let place = 0; place <= this.directoryMask; place++) {
      if (this.#lowest(place) !== place) continue;
      const segment = this.directory[place]!;
      for (let i = 1; i < segment.length; i += 2) if (segment[i] !== 0) target[count++] = segment[i]! - 1;
    }
    return count;
  }

  /** Gives index and pages back; the pane is not used any more. */
  clear(): void {
    for (let place = 0; place <= this.directoryMask; place++) {
      if (this.#lowest(place) === place) this.#segments.give(this.directory[place]!);
    }
    this.directory.length = 0;
    this.pages.clear();
  }

  /** A segment shared by several directory places keeps its count at the lowest of them. */
  #lowest(place: number): number {
    return place & ((1 << this.#depths[place]!) - 1);
  }

  #count(place: number, change: number): void {
    const depth = this.#depths[place]!;
    const counts = this.#counts;
    const step = 1 << depth;
    for (let i = place & (step - 1); i < counts.length; i += step) counts[i]! += change;
  }

  #grow(place: number): void {
    const old = this.directory[place]!;
    const lowest = this.#lowest(place);
    if (old.length < LARGEST || this.#depths[place]! >= 32 - DIRECTORY_SHIFT) {
      const grown = this.#segments.take(old.length * 2);
      for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) put(grown, old[i]!, old[i + 1]!);
      this.#assign(lowest, this.#depths[place]!, grown, this.#counts[place]!);
      this.#segments.give(old);
      return;
    }
    const depth = this.#depths[place]!;
    if (1 << depth > this.directoryMask) this.#doubleDirectory();
    const zeros = this.#segments.take(LARGEST);
    const ones = this.#segments.take(LARGEST);
    let count = 0;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      const one = (old[i]! >>> (DIRECTORY_SHIFT + depth)) & 1;
      count += one;
      put(one === 1 ? ones : zeros, old[i]!, old[i + 1]!);
    }
    const all = this.#counts[lowest]!;
    this.#assign(lowest, depth + 1, zeros, all - count);
    this.#assign(lowest | (1 << depth), depth + 1, ones, count);
    this.#segments.give(old);
  }

  #assign(lowest: number, depth: number, segment: Int32Array, count: number): void {
    for (let i = lowest; i <= this.directoryMask; i += 1 << depth) {
      this.directory[i] = segment;
      this.#depths[i] = depth;
      this.#counts[i] = count;
    }
  }

  #doubleDirectory(): void {
    const size = this.directoryMask + 1;
    for (let i = 0; i < size; i++) {
      this.directory.push(this.directory[i]!);
      this.#depths.push(this.#depths[i]!);
      this.#counts.push(this.#counts[i]!);
    }
    this.directoryMask = size * 2 - 1;
  }
}

function put(segment: Int32Array, hash: number, slot: number): void {
  const mask = segment.length - 1;
  let i = (hash << 1) & mask;
  while (segment[i + 1] !== 0) i = (i + 2) & mask;
  segment[i] = hash;
  segment[i + 1] = slot;
}
