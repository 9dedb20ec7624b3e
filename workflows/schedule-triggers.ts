import type { Json, Millis } from '../core/ids.ts';
import type { CatchUp, Due, Overlap, Schedule } from '../scheduler/scheduler.ts';
import type { TriggerSpec, WorkflowDocument } from './document.ts';

/**
 * The schedules of a document. A time that is due names its execution, `<workflow>@<time as RFC 3339>`, whoever starts
 * it: so no time is started twice. Its input is that of the trigger with `schedule: { at, from }`, the interval that it
 * stands for.
 */
export interface ScheduleTrigger {
  readonly schedule: Schedule;
  readonly input: { readonly [name: string]: Json };
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
}

export const DEFAULT_OVERLAP: Overlap = 'skip';
export const DEFAULT_CATCH_UP: CatchUp = 'last';

/** Of a document without faults. */
export function scheduleTriggers({ triggers = [] }: WorkflowDocument): readonly ScheduleTrigger[] {
  return triggers.filter(({ type }) => type === 'schedule').map(readTrigger);
}

export function hasSchedule({ triggers = [] }: WorkflowDocument): boolean {
  return triggers.some(({ type }) => type === 'schedule');
}

function readTrigger({ config = {}, overlap, catchUp }: TriggerSpec): ScheduleTrigger {
  const { cron, timeZone, input, from, until } = config;
  return {
    schedule: {
      cron: cron as string,
      ...(timeZone === undefined ? {} : { timeZone: timeZone as string }),
      ...(from === undefined ? {} : { from: readTime(from)! }),
      ...(until === undefined ? {} : { until: readTime(until)! }),
    },
    input: (input ?? {}) as { readonly [name: string]: Json },
    overlap: overlap ?? DEFAULT_OVERLAP,
    catchUp: catchUp ?? DEFAULT_CATCH_UP,
  };
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Undefined where it is no time. */
export function readTime(text: Json): Millis | undefined {
  const at = typeof text === 'string' && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

export function timeText(at: Millis): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

export function dueExecution(workflow: string, at: Millis): string {
  return `${workflow}@${timeText(at)}`;
}

/** By its id alone: whoever starts it by hand has taken that time too. */
export function isDueExecution(execution: string, workflow: string): boolean {
  return execution.startsWith(`${workflow}@`) && !execution.includes('/');
}

export function dueInput(input: ScheduleTrigger['input'], { at, from }: Due): Json {
  return { ...input, schedule: { at: timeText(at), from: timeText(from) } };
}
