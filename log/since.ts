import type { Millis, Position, TopicPartition } from '../core/ids.ts';
import { maxTimestamp } from './batch-header.ts';
import { BatchView } from './batch-view.ts';
import type { Fetched, LogReader, PartitionBounds } from './log.ts';

const WAIT_MS: Millis = 100;

/** The first committed record of a time or later, found by reading; for drivers that keep no index of times. */
export async function scanSince(
  open: () => LogReader,
  place: TopicPartition,
  { start, stable }: PartitionBounds,
  timestamp: Millis,
): Promise<Position> {
  const reader = open();
  try {
    reader.assign([{ ...place, position: start }]);
    for (let next = start; next < stable; ) {
      for (const fetched of await reader.fetch(WAIT_MS)) {
        const found = firstSince(fetched, timestamp);
        next = fetched.next;
        fetched.release();
        if (found !== undefined) return Math.min(found, stable);
      }
    }
    return stable;
  } finally {
    await reader.close();
  }
}

/** Opens only batches that have such a record. */
function firstSince(fetched: Fetched, timestamp: Millis): Position | undefined {
  const view = new BatchView();
  for (let b = 0; b < fetched.starts.length; b++) {
    if (maxTimestamp(fetched.bytes, fetched.starts[b]!) < timestamp) continue;
    view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
    for (let i = 0; i < view.count; i++) {
      if (view.timestamps[i]! >= timestamp && view.positions[i]! >= fetched.position) return view.positions[i]!;
    }
  }
  return undefined;
}
