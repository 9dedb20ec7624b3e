import { changelogTopic } from '../../checkpoints/checkpoints.ts';
import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { Log } from '../../log/log.ts';
import { eachRecord, type Run } from '../../runtime/runtime.ts';
import { committedRows } from './committed-rows.ts';
import { CONTROL_APPLICATION, CONTROL_STORE } from './program.ts';
import { restored } from './restored.ts';
import type { ScheduleRow } from './schedule-row.ts';
import { SCHEDULE_ROWS } from './schedules.ts';

/** Of a row in a changelog: its version and its time. */
const ROW_HEAD_BYTES = 9;

export interface ScheduleListParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly run: Run;
  readonly partitions: number;
}

/** The rows of all schedules by what is committed, in the order of their keys. */
export async function listSchedules(parts: ScheduleListParts): Promise<readonly ScheduleRow[]> {
  const partitions = Array.from({ length: parts.partitions }, (_, partition) => rowsOf(parts, partition));
  const rows = (await Promise.all(partitions)).flat();
  return rows.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row as unknown as ScheduleRow);
}

/** Of a partition that another process keeps, the changelog of its store has them among all its rows. */
async function rowsOf({ log, clock, run }: ScheduleListParts, partition: number) {
  try {
    return await restored(clock, () => committedRows(run, partition, ...SCHEDULE_ROWS));
  } catch (thrown) {
    if (!isFlowError(thrown, 'query.elsewhere')) throw thrown;
  }
  const rows = new Map<string, Json>();
  const topic = changelogTopic(CONTROL_APPLICATION, CONTROL_STORE);
  const [from, to] = SCHEDULE_ROWS.map((name) => Buffer.from(name)) as [Buffer, Buffer];
  await eachRecord(log, topic, partition, ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }, i) => {
    const [start, end] = [keyStarts[i]!, keyEnds[i]!];
    if (bytes.compare(from, 0, from.length, start, end) < 0 || bytes.compare(to, 0, to.length, start, end) > 0) return;
    const key = bytes.toString('utf8', start, end);
    if (valueStarts[i]! < 0) rows.delete(key);
    else rows.set(key, JSON.parse(bytes.toString('utf8', valueStarts[i]! + ROW_HEAD_BYTES, valueEnds[i]!)) as Json);
  });
  return [...rows];
}
