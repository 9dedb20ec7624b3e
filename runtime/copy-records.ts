import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { eachRecord } from './each-record.ts';

const BATCH_BYTES = 256 * 1024;

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
