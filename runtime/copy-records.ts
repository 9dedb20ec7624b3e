import type { Position } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';

const BATCH_BYTES = 256 * 1024;

/** Visits the committed records of a partition, from its start to where it ends now. */
export async function eachRecord(
  log: Log,
  topic: string,
  partition: number,
  visit: (view: BatchView, i: number) => void | Promise<void>,
): Promise<void> {
  const { start, stable } = await log.admin.bounds(topic, partition);
  if (start >= stable) return;
  const reader = log.reader({ isolation: 'committed' });
  try {
    reader.assign([{ topic, partition, position: start }]);
    const view = new BatchView();
    for (let next: Position = start; next < stable; ) {
      for (const fetched of await reader.fetch(1000)) {
        for (let b = 0; b < fetched.starts.length; b++) {
          view.open(fetched.bytes, fetched.starts[b]!, fetched.ends[b]!, fetched);
          for (let i = 0; i < view.count; i++) if (view.positions[i]! >= next) await visit(view, i);
        }
        next = fetched.next;
        fetched.release();
      }
    }
  } finally {
    await reader.close();
  }
}

/** Appends the records of one partition to the same one of another topic, as they are. Answers how many. */
export async function copyRecords(log: Log, from: string, to: string, partition: number): Promise<number> {
  const producer = await log.producer({});
  const builder = new BatchBuilder(new Step());
  let copied = 0;
  const flush = async () => {
    if (builder.count > 0) await producer.append(to, partition, builder.finish());
  };
  try {
    await eachRecord(log, from, partition, (view, i) => {
      builder.append(
        view.timestamps[i]!,
        view.bytes,
        view.keyStarts[i]!,
        view.keyEnds[i]!,
        view.bytes,
        view.valueStarts[i]!,
        view.valueEnds[i]!,
      );
      copied++;
      return builder.size >= BATCH_BYTES ? flush() : undefined;
    });
    await flush();
  } finally {
    await producer.close();
  }
  return copied;
}
