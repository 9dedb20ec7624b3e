import type { Bytes } from '../../core/bytes.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { BatchView } from '../batch.ts';
import {
  baseSequence,
  isTransactional,
  lastPosition,
  producerEpoch,
  producerId,
  stampProducer,
} from '../batch-header.ts';
import { filterBatch } from '../filter-batch.ts';
import type { Context } from './context.ts';
import type { Partition } from './partition.ts';
import { removeSegment } from './recovery.ts';
import { Segment } from './segment.ts';

/** Keys that one round remembers; what lies behind waits for the next. */
const ROUND_KEYS = 500_000;
const WRITE_BYTES = 1 << 20;

interface Compacted {
  readonly segments: number;
  readonly records: number;
}

/**
 * Whether a round is worth it, which reads and writes anew all that there is: at least as much has come since the last one
 * as was left by it, so that a record is written twice on average, however much is kept; or tombstones have expired.
 * (Kafka does so with a `min.cleanable.dirty.ratio` of 0.5.)
 */
export function isCompactionDue(partition: Partition, now: Millis): boolean {
  let [fresh, cleaned] = [0, 0];
  for (const segment of partition.segments) {
    if (hasExpired(partition, segment, now)) return true;
    if (segment.index.next > partition.cleanedTo) fresh += segment.size;
    else cleaned += segment.size;
  }
  return fresh > 0 && fresh >= cleaned;
}

/**
 * Keeps the last record of each key below the stable position, in place: positions stay. Drops aborted data, and
 * tombstones `deleteRetentionMs` after a round has first met them. A segment is written anew beside the old one and
 * takes its name. Remembers the keys of what came since the last round, and cleans everything before.
 */
export async function compactPartition(context: Context, partition: Partition): Promise<Compacted> {
  const { disk, clock, committer } = context;
  const now = clock.now();
  const seal = partition.active;
  if (seal !== undefined && seal.size > 0 && seal.index.next <= partition.stable) {
    await partition.exclusive(async () => {
      seal.sealed = true;
    });
  }
  if (partition.segments.some((segment) => segment.sealed && segment.base >= partition.trustedBelow)) {
    await committer.checkpoint();
  }
  const cleanable = partition.segments.filter(
    (segment) => segment.index.next <= partition.stable && closed(partition, segment),
  );
  const { newest, through } = await newestPositions(partition, cleanable);
  let segments = 0;
  let records = 0;
  for (const segment of cleanable) {
    if (segment.index.next > through) break;
    if (!worthwhile(partition, segment, now, newest.size)) continue;
    const removed = await rewrite(context, partition, segment, newest, now);
    if (removed > 0) segments++;
    records += removed;
  }
  partition.cleanedTo = Math.max(partition.cleanedTo, through);
  if (segments > 0) await disk.syncDirectory(partition.directory);
  return { segments, records };
}

function closed(partition: Partition, segment: Segment): boolean {
  return segment.synced === segment.size && segment.base < partition.trustedBelow;
}

/** It has tombstones that a round has met so long ago that they may go. */
function hasExpired(partition: Partition, segment: Segment, now: Millis): boolean {
  const since = segment.index.tombstonesSince;
  return since >= 0 && now - since >= partition.topic.settings.deleteRetentionMs;
}

function worthwhile(partition: Partition, segment: Segment, now: Millis, newKeys: number): boolean {
  return newKeys > 0 || hasExpired(partition, segment, now) || segment.index.next > partition.cleanedTo;
}

async function newestPositions(
  partition: Partition,
  segments: readonly Segment[],
): Promise<{ readonly newest: Map<string, Position>; readonly through: Position }> {
  const where = { topic: partition.topic.name, partition: partition.number };
  const newest = new Map<string, Position>();
  const view = new BatchView();
  let through = partition.cleanedTo;
  for (const segment of segments) {
    if (segment.index.next <= partition.cleanedTo) continue;
    if (newest.size >= ROUND_KEYS) break;
    const visit = (bytes: Bytes, at: number, length: number) => {
      view.open(bytes, at, at + length, where);
      if (partition.aborted.has(view.basePosition)) return true;
      for (let i = 0; i < view.count; i++) {
        if (view.keyStarts[i]! >= 0) newest.set(keyOf(view, i), view.positions[i]!);
      }
      return true;
    };
    await segment.scan(0, segment.size, visit, where);
    through = segment.index.next;
  }
  return { newest, through };
}

/** Answers how many records it removed; with none the segment is left as it is. */
async function rewrite(
  context: Context,
  partition: Partition,
  segment: Segment,
  newest: ReadonlyMap<string, Position>,
  now: Millis,
): Promise<number> {
  const { disk } = context;
  const where = { topic: partition.topic.name, partition: partition.number };
  const since = segment.index.tombstonesSince;
  const expired = hasExpired(partition, segment, now);
  const next = new Segment(disk, partition.directory, segment.base, '.new');
  const sieve = new Sieve(partition, newest, expired);
  let parts: Bytes[] = [];
  let bytes = 0;
  const put = async () => {
    await next.write(parts, bytes);
    parts = [];
    bytes = 0;
  };
  await segment.scan(
    0,
    segment.size,
    async (source, at, length) => {
      const kept = sieve.batch(source, at, length, where);
      if (kept === undefined) return true;
      next.indexBatch(kept, 0, kept.length);
      parts.push(kept);
      bytes += kept.length;
      if (bytes >= WRITE_BYTES) await put();
      return true;
    },
    where,
  );
  if (bytes > 0) await put();
  if (sieve.tombstones && since < 0) segment.index.tombstonesSince = now;
  if (sieve.removed === 0) {
    await removeSegment(disk, next);
    return 0;
  }
  next.index.tombstonesSince = sieve.tombstones ? segment.index.tombstonesSince : -1;
  next.index.next = segment.index.next;
  next.index.covered = next.size;
  next.sealed = true;
  await next.use((file) => file.datasync(), true);
  next.synced = next.size;
  failpoint('file.compaction.written');
  await swap(context, partition, segment, next);
  return sieve.removed;
}

async function swap(context: Context, partition: Partition, old: Segment, next: Segment): Promise<void> {
  const { disk } = context;
  await partition.exclusive(async () => {
    const at = partition.segments.indexOf(old);
    if (at < 0 || partition.topic.deleted) return await removeSegment(disk, next);
    await disk.unlink(old.indexPath).catch(() => undefined);
    await disk.syncDirectory(partition.directory);
    const empty = next.size === 0 && partition.segments.length > 1;
    old.dead = true;
    if (empty) partition.segments.splice(at, 1);
    else {
      await next.rename(disk, old.path).catch((thrown) => {
        old.dead = false;
        throw thrown;
      });
      partition.segments[at] = next;
    }
    await disk.syncDirectory(partition.directory);
    failpoint('file.compaction.swapped');
    if (empty) {
      await removeSegment(disk, next);
      await removeSegment(disk, old);
    } else {
      await old.kill();
      await next.saveIndex();
      next.indexSaved = next.index.covered;
    }
  });
}

/** What compaction keeps of batches. */
class Sieve {
  removed = 0;
  tombstones = false;
  readonly #partition: Partition;
  readonly #newest: ReadonlyMap<string, Position>;
  readonly #expired: boolean;
  readonly #view = new BatchView();

  constructor(partition: Partition, newest: ReadonlyMap<string, Position>, expired: boolean) {
    this.#partition = partition;
    this.#newest = newest;
    this.#expired = expired;
  }

  /** A copy of the batch with what is kept, or `undefined` where that is nothing. */
  batch(bytes: Bytes, at: number, length: number, where: { topic: string; partition: number }): Bytes | undefined {
    const view = this.#view;
    view.open(bytes, at, at + length, where);
    const { start, aborted } = this.#partition;
    if (aborted.has(view.basePosition) || lastPosition(bytes, at) < start) {
      this.removed += view.count;
      return undefined;
    }
    let kept = 0;
    for (let i = 0; i < view.count; i++) if (this.#keeps(i)) kept++;
    if (kept === view.count) return Buffer.from(bytes.subarray(at, at + length));
    this.removed += view.count - kept;
    const filtered = filterBatch(view, (i) => this.#keeps(i));
    if (filtered === undefined) return undefined;
    stampProducer(filtered, 0, {
      producerId: producerId(bytes, at),
      producerEpoch: producerEpoch(bytes, at),
      baseSequence: baseSequence(bytes, at),
      transactional: isTransactional(bytes, at),
    });
    return filtered;
  }

  #keeps(i: number): boolean {
    const view = this.#view;
    if (view.keyStarts[i]! < 0) return true;
    const newest = this.#newest.get(keyOf(view, i));
    if (newest !== undefined && newest > view.positions[i]!) return false;
    if (view.valueStarts[i]! >= 0) return true;
    if (this.#expired) return false;
    this.tombstones = true;
    return true;
  }
}

function keyOf(view: BatchView, i: number): string {
  return view.bytes.toString('latin1', view.keyStarts[i]!, view.keyEnds[i]!);
}
