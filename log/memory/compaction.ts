import type { Millis, Position } from '../../core/ids.ts';
import { baseSequence, isTransactional, producerEpoch, producerId, stampProducer } from '../batch-header.ts';
import { BatchView } from '../batch-view.ts';
import { filterBatch } from '../filter-batch.ts';
import type { Entry, Partition } from './partition.ts';

/**
 * Keeps the last record of each key below the stable position, drops aborted records and markers, and drops
 * tombstones that it has met once and `deleteRetentionMs` ago. Positions stay; records without a key too.
 */
export function compactPartition(partition: Partition, now: Millis, deleteRetentionMs: Millis): void {
  const stable = partition.stable;
  const view = new BatchView();
  const newest = new Map<string, Position>();
  const cleanable = (entry: Entry) => entry.last < stable;
  for (const entry of partition.entries) {
    if (!cleanable(entry) || entry.control || entry.aborted) continue;
    view.open(entry.bytes, 0, entry.bytes.length, partition);
    for (let i = 0; i < view.count; i++) {
      if (view.keyStarts[i]! >= 0) newest.set(keyOf(view, i), view.positions[i]!);
    }
  }
  partition.entries = partition.entries.flatMap((entry) => {
    if (!cleanable(entry)) return [entry];
    if (entry.control || entry.aborted) return [];
    view.open(entry.bytes, 0, entry.bytes.length, partition);
    const expired = entry.tombstonesSince >= 0 && now - entry.tombstonesSince >= deleteRetentionMs;
    let tombstones = false;
    const bytes = filterBatch(view, (i) => {
      if (view.keyStarts[i]! < 0) return true;
      if (newest.get(keyOf(view, i)) !== view.positions[i]) return false;
      if (view.valueStarts[i]! >= 0) return true;
      tombstones = true;
      return !expired;
    });
    if (bytes === undefined) return [];
    stampProducer(bytes, 0, {
      producerId: producerId(entry.bytes, 0),
      producerEpoch: producerEpoch(entry.bytes, 0),
      baseSequence: baseSequence(entry.bytes, 0),
      transactional: isTransactional(entry.bytes, 0),
    });
    entry.bytes = bytes;
    if (tombstones && entry.tombstonesSince < 0) entry.tombstonesSince = now;
    return [entry];
  });
}

function keyOf(view: BatchView, i: number): string {
  return view.bytes.toString('latin1', view.keyStarts[i]!, view.keyEnds[i]!);
}
