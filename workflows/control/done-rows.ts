import type { Json, Millis } from '../../core/ids.ts';
import type { KeyValueStore, WindowStore } from '../../operators/operators.ts';
import type { Header } from '../lifecycle/lifecycle.ts';
import { isDueExecution } from '../schedule-triggers.ts';
import { doneWindowMs } from './program.ts';

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

/** Of one partition: which executions have ended, for as long as it is remembered. */
export class DoneRows {
  readonly #store: Pick<KeyValueStore<string, Json>, 'get' | 'put'>;
  readonly #done: Pick<WindowStore<string, string>, 'fetch' | 'put'>;
  readonly #rememberMs: Millis;

  constructor(store: KeyValueStore<string, Json>, done: WindowStore<string, string>, rememberMs: Millis) {
    this.#store = store;
    this.#done = done;
    this.#rememberMs = rememberMs;
  }

  /** That of a time of a schedule for good, as a backfill may come again after years; answers whether it is one. */
  keep(header: Header, at: Millis): boolean {
    if (isDueExecution(header.execution, header.workflow)) {
      this.#store.put(`${DUE_DONE}${header.execution}`, doneRow(header));
      return true;
    }
    const window = doneWindowMs(this.#rememberMs);
    this.#done.put(header.execution, at - (at % window), doneRow(header));
    return false;
  }

  has(execution: string, at: Millis): boolean {
    return rowOfDone(this.#store, this.#done, execution, Math.max(0, at) + this.#rememberMs) !== undefined;
  }
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
