import type { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { eachRecord } from './each-record.ts';
import type { Place } from './letters.ts';

/** What is made of the record at a place; undefined where none is there, or none that was committed. */
export async function recordAt<T>(
  log: Log,
  { topic, partition, position }: Place,
  read: (view: BatchView, i: number) => T,
): Promise<T | undefined> {
  let found: T | undefined;
  const take = (view: BatchView, i: number) => {
    found = read(view, i);
  };
  await eachRecord(log, topic, partition, take, position, position + 1);
  return found;
}
