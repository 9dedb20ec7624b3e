import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import { lastDelta, maxTimestamp, stampPosition } from '../batch-header.ts';
import { encodeMarker, type Marker } from '../control.ts';
import type { Fetched, PartitionBounds, ReaderOptions } from '../log.ts';
import type { Transaction } from './transaction.ts';

/** A batch as it lies in a partition. */
export interface Entry {
  bytes: Bytes;
  readonly base: Position;
  readonly last: Position;
  readonly control: boolean;
  aborted: boolean;
  /** When compaction first met it clean with tombstones in it; -1 before. */
  tombstonesSince: Millis;
}

interface OpenRange {
  readonly first: Position;
  readonly entries: Entry[];
}

export class Partition {
  readonly topic: string;
  readonly partition: number;
  start: Position = 0;
  end: Position = 0;
  entries: Entry[] = [];
  deleted = false;
  /** Transactions with records here whose marker has not come. */
  readonly #open = new Map<Transaction, OpenRange>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get name(): string {
    return partitionName(this.topic, this.partition);
  }

  get stable(): Position {
    let stable = this.end;
    for (const range of this.#open.values()) stable = Math.min(stable, range.first);
    return stable;
  }

  bounds(): PartitionBounds {
    return { start: this.start, stable: Math.max(this.start, this.stable), end: this.end };
  }

  /** Takes a checked batch; answers the position of its first record. */
  append(bytes: Bytes, transaction: Transaction | undefined): Position {
    const entry = this.#add(bytes, false);
    if (transaction !== undefined) {
      let range = this.#open.get(transaction);
      if (range === undefined) {
        range = { first: entry.base, entries: [] };
        this.#open.set(transaction, range);
        transaction.partitions.add(this);
      }
      range.entries.push(entry);
    }
    return entry.base;
  }

  /** Ends a transaction here. */
  mark(transaction: Transaction, marker: Marker, now: Millis): void {
    const range = this.#open.get(transaction);
    if (range === undefined) return;
    this.#open.delete(transaction);
    if (marker === 'abort') for (const entry of range.entries) entry.aborted = true;
    this.#add(encodeMarker(marker, transaction.producerId, transaction.producerEpoch, now), true);
  }

  /** What lies from `position` on, or `undefined` where that is nothing. Fails with `log.range` outside. */
  read(position: Position, isolation: ReaderOptions['isolation'], maxBytes: number): Fetched | undefined {
    if (position < this.start || position > this.end) {
      throw new FlowError(
        'log.range',
        `position ${position} of ${this.name} is outside of [${this.start}, ${this.end}]; reset it to one within`,
      );
    }
    const end = isolation === 'committed' ? Math.max(this.start, this.stable) : this.end;
    if (position >= end) return undefined;
    const chosen: Entry[] = [];
    let size = 0;
    let next = end;
    for (let i = this.#find(position); i < this.entries.length; i++) {
      const entry = this.entries[i]!;
      if (entry.base >= end) break;
      if (entry.control || (entry.aborted && isolation === 'committed')) continue;
      if (chosen.length > 0 && size + entry.bytes.length > maxBytes) {
        next = entry.base;
        break;
      }
      chosen.push(entry);
      size += entry.bytes.length;
    }
    return fetched(this, chosen, size, position, next, end);
  }

  /** Forgets what lies wholly below `before`. */
  trim(before: Position): Position {
    this.start = Math.max(this.start, Math.min(before, this.stable));
    this.entries = this.entries.filter((entry) => entry.last >= this.start);
    return this.start;
  }

  /** Deletes whole batches from the front, by age and size, never past the stable position. */
  expire(oldest: Millis, maxBytes: number): void {
    let size = 0;
    for (const entry of this.entries) size += entry.bytes.length;
    const stable = this.stable;
    while (this.entries.length > 0) {
      const first = this.entries[0]!;
      const old = maxTimestamp(first.bytes, 0) < oldest;
      if (first.last >= stable || !(old || size > maxBytes)) break;
      size -= first.bytes.length;
      this.entries.shift();
      this.start = first.last + 1;
    }
  }

  #add(bytes: Bytes, control: boolean): Entry {
    const base = this.end;
    stampPosition(bytes, 0, base);
    const last = base + lastDelta(bytes, 0);
    const entry = { bytes, base, last, control, aborted: false, tombstonesSince: -1 };
    this.entries.push(entry);
    this.end = last + 1;
    return entry;
  }

  /** The first entry that does not end before `position`. */
  #find(position: Position): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.last < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function fetched(
  { topic, partition }: Partition,
  chosen: readonly Entry[],
  size: number,
  position: Position,
  next: Position,
  end: Position,
): Fetched {
  const bytes = Buffer.allocUnsafeSlow(size);
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const entry of chosen) {
    starts.push(at);
    at += entry.bytes.copy(bytes, at);
    ends.push(at);
  }
  // A reader that looks at what it has released should find out.
  const release = () => void bytes.fill(0xdb);
  return { topic, partition, bytes, starts, ends, position, next, end, release };
}
