import type { Millis } from '../../core/ids.ts';
import { type Due, dueAfter, missed, overlapping } from '../../scheduler/scheduler.ts';
import type { WorkflowDocument } from '../document.ts';
import { dueExecution, type ScheduleTrigger, scheduleTriggers } from '../schedule-triggers.ts';

/**
 * The schedules of a workflow, as the partition keeps them that `schedule:<workflow>` belongs to. A step reads the row,
 * changes it by the functions here, and puts it back.
 */
export interface ScheduleRow {
  readonly workflow: string;
  readonly version: string;
  readonly triggers: TriggerRow[];
  /** What was started last, until its end is told. */
  running: string | null;
  /** It was told to end, to make room. */
  replaced: boolean;
}

export interface TriggerRow extends ScheduleTrigger {
  /** All times up to here have been judged. */
  last: Millis;
  /** What its timer is set to. */
  due: Millis | null;
  started: Millis | null;
  /** Times that wait for the end of what runs, oldest first. */
  queue: Due[];
  /** How many times were due and started nothing. */
  leftOut: number;
  /** Its queue is full: it is judged again when that is empty. */
  full: boolean;
}

export type ScheduleAct =
  | { readonly act: 'start'; readonly due: Due; readonly input: ScheduleTrigger['input'] }
  | { readonly act: 'cancel'; readonly execution: string; readonly by: string };

/** Later than this, a start is one that was missed. */
export const GRACE_MS = 60_000;
export const MOST_QUEUED = 100;

/** The schedules of a version that was published at a time; what runs and what waits goes on from the version before. */
export function scheduleRow(
  { id, version, ...rest }: WorkflowDocument,
  at: Millis,
  before: ScheduleRow | undefined,
): ScheduleRow {
  const triggers = scheduleTriggers({ id, version, ...rest }).map((trigger, i) => ({
    ...trigger,
    last: at,
    due: dueAfter(trigger.schedule, at)?.at ?? null,
    started: null,
    queue: before?.triggers[i]?.queue ?? [],
    leftOut: 0,
    full: false,
  }));
  return {
    ...{ workflow: id, version, triggers },
    running: before?.running ?? null,
    replaced: before?.replaced ?? false,
  };
}

/** What is to be done about the times of a trigger that were due up to now. */
export function judgeDue(row: ScheduleRow, trigger: TriggerRow, now: Millis): readonly ScheduleAct[] {
  const acts: ScheduleAct[] = [];
  const { schedule, catchUp } = trigger;
  const found = missed(schedule, trigger.last, now, catchUp, GRACE_MS);
  trigger.leftOut += found.leftOut;
  trigger.full = false;
  for (const due of found.start) {
    if (catchUp === 'all' && row.running !== null && trigger.queue.length >= MOST_QUEUED) {
      trigger.full = true;
      break;
    }
    acts.push(...judgeOverlap(row, trigger, due));
    trigger.last = due.at;
  }
  if (trigger.full) trigger.due = null;
  else if (found.more) trigger.due = now;
  else {
    trigger.last = Math.max(trigger.last, now);
    trigger.due = dueAfter(schedule, trigger.last)?.at ?? null;
  }
  return acts;
}

function judgeOverlap(row: ScheduleRow, trigger: TriggerRow, due: Due): readonly ScheduleAct[] {
  const { running } = row;
  switch (overlapping(trigger.overlap, running !== null)) {
    case 'start':
      return [startDue(row, trigger, due)];
    case 'queue':
      if (trigger.queue.length < MOST_QUEUED) trigger.queue.push(due);
      else trigger.leftOut++;
      return [];
    case 'skip':
      trigger.leftOut++;
      return [];
    case 'cancel-then-start': {
      trigger.leftOut += trigger.queue.length;
      trigger.queue = [due];
      if (row.replaced) return [];
      row.replaced = true;
      return [{ act: 'cancel', execution: running!, by: dueExecution(row.workflow, due.at) }];
    }
  }
}

/** What is to be done when an execution has ended: the oldest time that waits is next. */
export function judgeEnd(row: ScheduleRow, execution: string, now: Millis): readonly ScheduleAct[] {
  if (row.running !== execution) return [];
  row.running = null;
  row.replaced = false;
  const waiting = row.triggers.filter(({ queue }) => queue.length > 0);
  if (waiting.length === 0) return [];
  const next = waiting.reduce((one, other) => (other.queue[0]!.at < one.queue[0]!.at ? other : one));
  const acts = [startDue(row, next, next.queue.shift()!)] as ScheduleAct[];
  if (next.full && next.queue.length === 0) acts.push(...judgeDue(row, next, now));
  return acts;
}

function startDue(row: ScheduleRow, trigger: TriggerRow, due: Due): ScheduleAct {
  row.running = dueExecution(row.workflow, due.at);
  row.replaced = false;
  trigger.started = due.at;
  return { act: 'start', due, input: trigger.input };
}
