import type { Position, TopicPartition } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';

/**
 * Visits the committed records of a partition, from its start, or a position, to where it ends now. Waits for
 * transactions that are open there: what was committed behind the first record of one, or is about to be, is seen when
 * it is decided, as that of a process that was killed is once its timeout is over; with `until`, of those before that
 * position alone. The view is valid until the next record.
 */
export async function eachRecord(
  log: Log,
  topic: string,
  partition: number,
  visit: (view: BatchView, i: number) => void | Promise<void>,
  from: Position = 0,
  until: Position = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { start: first, end: last } = await log.admin.bounds(topic, partition);
  const start = Math.max(first, from);
  const end = Math.min(last, until);
  if (start >= end) return;
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic, partition, position: start }]);
    const view = new BatchView();
    for (let next: Position = start; next < end; ) {
      for (const fetched of await reader.fetch(100)) {
        for (let b = 0; b < fetched.starts.length; b++) {
          view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
          for (let i = 0; i < view.count; i++) {
            if (view.positions[i]! < next || view.positions[i]! >= end) continue;
            const visiting = visit(view, i);
            if (visiting !== undefined) await visiting;
          }
        }
        next = fetched.next;
        fetched.release();
      }
    }
  } finally {
    await reader.close();
  }
}

/**
 * Whether there is a committed record in a topic, as far as it goes now; waits for transactions that are open there. Its
 * bounds do not say so: positions have gaps where transactions were aborted, and where topics share a lane.
 */
export async function holdsRecords(log: Log, topic: string): Promise<boolean> {
  const partitions = (await log.admin.describe(topic))?.settings.partitions ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.admin.bounds(topic, partition);
    if (start < end && (await holdsBatch(log, { topic, partition, start, end }))) return true;
  }
  return false;
}

async function holdsBatch(
  log: Log,
  { topic, partition, start, end }: TopicPartition & { readonly start: Position; readonly end: Position },
): Promise<boolean> {
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic, partition, position: start }]);
    for (let next: Position = start; next < end; ) {
      for (const fetched of await reader.fetch(100)) {
        const found = fetched.starts.length > 0;
        next = fetched.next;
        fetched.release();
        if (found) return true;
      }
    }
    return false;
  } finally {
    await reader.close();
  }
}
