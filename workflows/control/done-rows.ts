import type { Millis } from '../../core/ids.ts';
import type { Header } from '../lifecycle/lifecycle.ts';

/** Ends of executions that are named by a time of a schedule. */
export const DUE_DONE = '\0E';

/** What is kept of an execution that has ended: how, in which step, and when it began. */
export function doneRow({ status, seq, startedAt }: Header): string {
  return `${status[0]}${seq} ${startedAt}`;
}

/** Undefined: the row was written before it said that. */
export function startOfDone(row: string): Millis | undefined {
  const at = row.indexOf(' ');
  return at < 0 ? undefined : Number(row.slice(at + 1));
}
