import type { Position, TopicPartition } from '../core/ids.ts';
import { BatchView } from '../log/batch.ts';
import type { Fetched, Log } from '../log/log.ts';

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
  const view = new BatchView();
  await eachFetched(log, { topic, partition }, start, end, async (fetched, next) => {
    for (let b = 0; b < fetched.starts.length; b++) {
      view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
      for (let i = 0; i < view.count; i++) {
        if (view.positions[i]! < next || view.positions[i]! >= end) continue;
        const visiting = visit(view, i);
        if (visiting !== undefined) await visiting;
      }
    }
    return false;
  });
}

/**
 * Hands over what committed readers see of a partition from one position to another, with the position from which each
 * piece was to be read; it is released then. Ends early where `take` has seen enough.
 */
export async function eachFetched(
  log: Log,
  { topic, partition }: TopicPartition,
  start: Position,
  end: Position,
  take: (fetched: Fetched, next: Position) => boolean | Promise<boolean>,
): Promise<void> {
  if (start >= end) return;
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic, partition, position: start }]);
    for (let next = start; next < end; ) {
      for (const fetched of await reader.fetch(100)) {
        const isEnough = await take(fetched, next);
        next = fetched.next;
        fetched.release();
        if (isEnough) return;
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
  let isFound = false;
  for (let partition = 0; partition < partitions && !isFound; partition++) {
    const { start, end } = await log.admin.bounds(topic, partition);
    await eachFetched(log, { topic, partition }, start, end, ({ starts }) => {
      isFound = starts.length > 0;
      return isFound;
    });
  }
  return isFound;
}
