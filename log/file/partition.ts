import type { Bytes } from '../../core/bytes.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { lastPosition, maxTimestamp, stampPosition } from '../batch-header.ts';
import type { Disk } from './disk.ts';
import type { PartitionRow } from './journal-frame.ts';
import { Ranges } from './ranges.ts';
import { Segment } from './segment.ts';
import type { Topic } from './topic.ts';
import type { TailBatch, Transaction } from './transaction.ts';

/** Unwritten bytes of a partition beyond which they go to the segment in the background. */
const LAZY_BYTES = 1 << 20;
/**
 * Batches beyond which they go too, where none of an open transaction is among them, whose commit would have to sync the
 * segment: what is kept of a batch of one record is many times as large as the record.
 */
const LAZY_BATCHES = 64;
const WRITE_BYTES = 4 << 20;

/** One partition: segments, what is not in a segment yet (the tail), and which of it counts. */
export class Partition {
  readonly topic: Topic;
  readonly number: number;
  readonly directory: string;
  start: Position = 0;
  end: Position = 0;
  segments: Segment[] = [];
  /** Batches behind the segments, in order. */
  tail: TailBatch[] = [];
  aborted = new Ranges();
  /** Transactions without an outcome, by their first position here, which rises. */
  readonly open = new Map<Transaction, Position>();
  unwritten = 0;
  /** Called when there may be more for a committed reader, or the partition is gone; until they take themselves out. */
  readonly committedListeners = new Set<() => void>();
  /** The same, for an uncommitted one. */
  readonly uncommittedListeners = new Set<() => void>();
  /** Segments that begin below are never looked at again by recovery, so they may be written anew. */
  trustedBelow: Position = -1;
  #placeBase: Position = -1;
  /** Below it, compaction has seen every key. */
  cleanedTo: Position = 0;
  readonly #disk: Disk;
  #writing: Promise<void> = Promise.resolve();
  #lazy = false;
  /** How many batches of the tail are on their way to a segment. */
  #inFlight = 0;
  #directorySynced = true;

  constructor(disk: Disk, topic: Topic, number: number, directory: string) {
    this.#disk = disk;
    this.topic = topic;
    this.number = number;
    this.directory = directory;
  }

  /** Where a committed reader ends. */
  get stable(): Position {
    for (const first of this.open.values()) return first;
    return this.end;
  }

  get active(): Segment | undefined {
    return this.segments[this.segments.length - 1];
  }

  /** Behind the last batch that a segment holds. */
  get writtenEnd(): Position {
    return this.active?.index.next ?? this.start;
  }

  /** No record below has that time or a later one. */
  firstWithTime(timestamp: Millis): Position {
    for (const { base, index } of this.segments) if (index.maxTimestamp >= timestamp) return base;
    return this.writtenEnd;
  }

  append(owner: Transaction, bytes: Bytes): Position {
    const base = this.end;
    stampPosition(bytes, 0, base);
    const last = lastPosition(bytes, 0);
    this.end = last + 1;
    const batch = { base, last, bytes, owner };
    this.tail.push(batch);
    this.unwritten += bytes.length;
    owner.take(this, batch);
    if (!this.open.has(owner)) this.open.set(owner, base);
    tell(this.uncommittedListeners);
    return base;
  }

  /** Begins to write the tail where it has grown; a failure shows again at the next commit. */
  relieve(): void {
    const isMany = this.tail.length >= LAZY_BATCHES && this.open.size === 0;
    if ((this.unwritten < LAZY_BYTES && !isMany) || this.#lazy) return;
    this.#lazy = true;
    void this.flush()
      .catch(() => undefined)
      .finally(() => {
        this.#lazy = false;
      });
  }

  settle(owner: Transaction): void {
    this.open.delete(owner);
    this.tellAll();
  }

  tellAll(): void {
    tell(this.committedListeners);
    tell(this.uncommittedListeners);
  }

  /** Takes an aborted transaction's batches out; what a segment may hold is remembered as aborted. */
  discard(owner: Transaction): void {
    const writes = owner.writes.get(this)!;
    if (writes.handedOver >= 0) {
      for (let i = 0; i < writes.ranges.length; i += 2) this.aborted.add(writes.ranges[i]!, writes.ranges[i + 1]!);
    }
    const fixed = this.#inFlight;
    const kept = this.tail.slice(0, fixed);
    for (let i = fixed; i < this.tail.length; i++) {
      const batch = this.tail[i]!;
      if (batch.owner === owner) this.unwritten -= batch.bytes.length;
      else kept.push(batch);
    }
    this.tail = kept;
    this.settle(owner);
  }

  /** Writes the whole tail to segments, without syncing. One at a time. */
  flush(): Promise<void> {
    const next = this.#writing.catch(() => undefined).then(() => this.#writeTail());
    this.#writing = next;
    return next;
  }

  /** Runs while no segment is written. */
  exclusive(work: () => Promise<void>): Promise<void> {
    const next = this.#writing.catch(() => undefined).then(work);
    this.#writing = next;
    return next;
  }

  /** Closes files that nobody reads. */
  async closeIdle(): Promise<void> {
    for (const segment of this.segments) if (segment !== this.active) await segment.closeIdle();
  }

  async #writeTail(): Promise<void> {
    if (this.topic.deleted) {
      this.tail = [];
      return;
    }
    let left = this.tail.length;
    while (left > 0) {
      const segment = await this.#segmentFor(this.tail[0]!);
      left = Math.min(left, this.tail.length);
      const count = this.#fitting(segment, left);
      if (count === 0) return;
      const parts: Bytes[] = [];
      let length = 0;
      for (let i = 0; i < count; i++) {
        const { bytes, owner, last } = this.tail[i]!;
        owner.writes.get(this)!.handedOver = last;
        parts.push(bytes);
        length += bytes.length;
      }
      this.#inFlight = count;
      try {
        await segment.write(parts, length);
      } finally {
        this.#inFlight = 0;
      }
      failpoint('file.segment.written');
      for (let i = 0; i < count; i++) {
        const batch = this.tail[i]!;
        segment.index.add(batch.base, batch.last, batch.bytes.length, maxTimestamp(batch.bytes, 0));
        batch.owner.written(this, batch);
      }
      this.tail.splice(0, count);
      this.unwritten -= length;
      left = Math.min(left - count, this.tail.length);
    }
  }

  async #segmentFor(batch: TailBatch): Promise<Segment> {
    const active = this.active;
    if (active !== undefined && !this.#full(active, batch.bytes.length)) return active;
    // A segment begins only behind a durable one: what recovery finds whole in it has no hole before it.
    await active?.sync();
    const segment = new Segment(this.#disk, this.directory, Math.max(batch.base, this.writtenEnd));
    this.segments.push(segment);
    this.#directorySynced = false;
    failpoint('file.segment.rolled');
    return segment;
  }

  #full(segment: Segment, more: number): boolean {
    return segment.sealed || (segment.size > 0 && segment.size + more > this.topic.settings.segmentBytes);
  }

  #fitting(segment: Segment, left: number): number {
    const room = Math.min(this.topic.settings.segmentBytes - segment.size, WRITE_BYTES);
    let bytes = 0;
    let count = 0;
    while (count < left) {
      bytes += this.tail[count]!.bytes.length;
      if (count > 0 && bytes > room) break;
      count++;
    }
    return count;
  }

  /** Makes everything that is written durable. */
  async sync(): Promise<void> {
    if (this.topic.deleted) return;
    const waiting: Promise<void>[] = [];
    for (let i = this.segments.length - 1; i >= 0; i--) {
      const segment = this.segments[i]!;
      if (segment.synced < segment.size) waiting.push(segment.sync());
    }
    if (!this.#directorySynced) {
      this.#directorySynced = true;
      waiting.push(
        this.#disk.syncDirectory(this.directory).catch((thrown) => {
          this.#directorySynced = false;
          throw thrown;
        }),
      );
    }
    await Promise.all(waiting);
  }

  /** Stores the indexes that have grown; they are only a help, so they are not synced. */
  async saveIndexes(): Promise<void> {
    for (const segment of this.segments) {
      if (segment.index.covered === segment.indexSaved) continue;
      segment.indexSaved = segment.index.covered;
      await segment.saveIndex();
    }
  }

  get dirty(): boolean {
    return !this.#directorySynced || this.segments.some((segment) => segment.synced < segment.size);
  }

  row(): PartitionRow {
    const open = new Ranges();
    for (const owner of this.open.keys()) {
      const { ranges } = owner.writes.get(this)!;
      for (let i = 0; i < ranges.length; i += 2) open.add(ranges[i]!, ranges[i + 1]!);
    }
    const first = this.segments.find((segment) => segment.synced < segment.size) ?? this.active;
    const [base, size] = first === undefined ? [-1, 0] : placeBehind(first);
    this.#placeBase = base;
    return [this.topic.id, this.number, this.start, this.end, base, size, this.aborted.bounds(), open.bounds()];
  }

  /** The snapshot with the last row is durable. */
  checkpointed(): void {
    this.trustedBelow = this.#placeBase;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    for (const segment of this.segments) await segment.kill();
  }
}

/** Where recovery goes on from the snapshot: within the segment, or behind one that takes no more. */
function placeBehind(segment: Segment): [Position, number] {
  const done = segment.sealed && segment.synced === segment.size;
  return done ? [segment.index.next, 0] : [segment.base, segment.synced];
}

function tell(listeners: Set<() => void>): void {
  for (const listener of listeners) listener();
}
