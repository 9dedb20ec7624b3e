import type { Json, Millis } from '../../core/ids.ts';
import type { KeyValueStore, WindowStore } from '../../operators/operators.ts';
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

/** That of an execution which has ended, as long as it is known. */
export function rowOfDone(
  store: Pick<KeyValueStore<string, Json>, 'get'>,
  done: Pick<WindowStore<string, string>, 'fetch'>,
  execution: string,
  until: Millis,
): string | undefined {
  const due = execution.includes('@') ? store.get(`${DUE_DONE}${execution}`) : undefined;
  if (due !== undefined) return due as string;
  for (const [, row] of done.fetch(execution, 0, until)) return row;
  return undefined;
}
