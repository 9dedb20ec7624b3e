import { failpoint } from '../../core/failpoints.ts';
import type { Position } from '../../core/ids.ts';
import type { Context } from './context.ts';
import type { Partition } from './partition.ts';
import { removeSegment } from './recovery.ts';

/** Raises the first readable position, durably, then removes the segments that lie wholly below. */
export async function raiseStart(context: Context, partition: Partition, before: Position): Promise<void> {
  if (before <= partition.start) return;
  const { topic, number } = partition;
  await context.committer.record({ type: 'start', topicId: topic.id, partition: number, start: before });
  partition.start = Math.max(partition.start, before);
  partition.aborted.dropBelow(partition.start);
  await removeBelow(context, partition);
}

/** Removes segments below the start. The active one is closed to appends first. */
export async function removeBelow(context: Context, partition: Partition): Promise<number> {
  let removed = 0;
  await partition.exclusive(async () => {
    for (;;) {
      const first = partition.segments[0];
      if (first === undefined || first.size === 0 || first.index.next > partition.start) break;
      partition.segments.shift();
      await removeSegment(context.disk, first);
      failpoint('file.retention.removed');
      removed++;
    }
  });
  return removed;
}

/** Where retention by age and size lets the partition begin: at the base of a segment, never above what is stable. */
export function retainedStart(partition: Partition, now: number): Position {
  const { cleanup, retentionMs, retentionBytes } = partition.topic.settings;
  if (cleanup !== 'delete' && cleanup !== 'compact,delete') return partition.start;
  const { segments, stable } = partition;
  let bytes = 0;
  for (const segment of segments) bytes += segment.size;
  let start = partition.start;
  for (const segment of segments) {
    const old = retentionMs >= 0 && segment.index.maxTimestamp < now - retentionMs;
    const over = retentionBytes >= 0 && bytes - segment.size >= retentionBytes;
    if (segment.size === 0 || segment.index.next > stable || !(old || over)) break;
    bytes -= segment.size;
    start = Math.max(start, segment.index.next);
  }
  return start;
}
