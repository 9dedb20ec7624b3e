import type { Position } from '../core/ids.ts';
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
