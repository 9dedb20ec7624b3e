import type { Json, Millis } from '../../core/ids.ts';
import type { KeyValueStore } from '../../operators/operators.ts';
import type { WorkflowDocument } from '../document.ts';
import { dueExecution, dueInput } from '../schedule-triggers.ts';
import { startCommand } from '../start-command.ts';
import type { DefinitionRows } from './definition-rows.ts';
import { type CommandMessage, type Message, rootOf, type StoredDefinition, scheduleKey } from './messages.ts';
import { judgeDue, judgeEnd, type ScheduleAct, type ScheduleRow, scheduleRow } from './schedule-row.ts';
import type { Timer, TimerRows } from './timer-rows.ts';

const PREFIX = '\0D';

export interface SchedulesParts {
  readonly store: Pick<KeyValueStore<string, Json>, 'get' | 'put' | 'delete'>;
  readonly timers: Pick<TimerRows, 'set' | 'clear'>;
  readonly definitions: DefinitionRows;
  /** In the transaction of the step, to whoever owns the key. */
  send(key: string, message: Message, at: Millis): void;
}

/**
 * Schedules of a partition: rows, a timer for the next time of each trigger, and messages that start executions, which
 * may be of other partitions. These tell when they end.
 */
export class Schedules {
  readonly #parts: SchedulesParts;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
  }

  /** A version was published: its schedules stand from now on, those of an older version no more. */
  set({ id, version, document }: StoredDefinition, at: Millis): void {
    const { definitions } = this.#parts;
    const before = this.#row(id);
    if (before?.version === version || definitions.newest(id) !== version) return;
    if (before !== undefined) {
      this.#clear(before);
      // what has been due is judged by what stood then
      const acts = before.triggers.flatMap((trigger) => (trigger.full ? [] : judgeDue(before, trigger, at)));
      this.#do(before, acts, at);
    }
    this.#put(scheduleRow(document as unknown as WorkflowDocument, at, before));
  }

  fire({ execution, node, due }: Timer, now: Millis): void {
    const row = this.#row(execution.slice(scheduleKey('').length));
    const trigger = row?.triggers[node];
    if (row === undefined || trigger === undefined || trigger.due !== due) return;
    this.#change(row, () => judgeDue(row, trigger, now), now);
  }

  ended(workflow: string, execution: string, at: Millis): void {
    const row = this.#row(workflow);
    if (row?.running === execution) this.#change(row, () => judgeEnd(row, execution, at), at);
  }

  /** Where it was to start the workflow was not known yet. */
  again(workflow: string, start: CommandMessage, at: Millis): void {
    const { definitions, send } = this.#parts;
    const { x, v: version } = start;
    const hash = version === undefined ? undefined : definitions.hash(workflow, version);
    if (hash === undefined) {
      this.ended(workflow, x, at);
      return;
    }
    const stored = { id: workflow, version: version!, hash, document: definitions.document(hash) };
    send(rootOf(x), { define: { ...stored, publishedAt: at, publishedBy: null } }, at);
    send(rootOf(x), start, at);
  }

  #change(row: ScheduleRow, judge: () => readonly ScheduleAct[], at: Millis): void {
    this.#clear(row);
    this.#do(row, judge(), at);
    this.#put(row);
  }

  #clear({ workflow, triggers }: ScheduleRow): void {
    for (const [i, { due }] of triggers.entries()) {
      if (due !== null) this.#parts.timers.clear(timerOf(workflow, i, due));
    }
  }

  #do({ workflow, version }: ScheduleRow, acts: readonly ScheduleAct[], at: Millis): void {
    if (acts.length === 0) return;
    const { definitions, send } = this.#parts;
    const document = definitions.document(definitions.hash(workflow, version)!) as unknown as WorkflowDocument;
    for (const each of acts) {
      if (each.act === 'cancel') {
        const { execution, by } = each;
        const command = { type: 'cancel', reason: `replaced by ${by}`, node: null } as const;
        send(rootOf(execution), { x: execution, c: command, id: `${by} replaces ${execution}`, at }, at);
        continue;
      }
      const x = dueExecution(workflow, each.due.at);
      const c = startCommand(document, dueInput(each.input, each.due));
      send(rootOf(x), { x, w: workflow, v: version, c, id: `${SCHEDULED}${x}`, at }, at);
    }
  }

  #row(workflow: string): ScheduleRow | undefined {
    const stored = this.#parts.store.get(`${PREFIX}${workflow}`) as unknown as ScheduleRow | undefined;
    // a copy to change: what the store gave is not ours
    return stored === undefined ? undefined : structuredClone(stored);
  }

  #put(row: ScheduleRow): void {
    const { store, timers } = this.#parts;
    if (row.triggers.length === 0 && row.running === null) store.delete(`${PREFIX}${row.workflow}`);
    else store.put(`${PREFIX}${row.workflow}`, row as unknown as Json);
    for (const [i, { due }] of row.triggers.entries()) {
      if (due !== null) timers.set(timerOf(row.workflow, i, due));
    }
  }
}

/** Ids of starts by a schedule begin so. */
export const SCHEDULED = 'schedule ';

/** Rows of schedules stand in this interval. */
export const SCHEDULE_ROWS = [PREFIX, '\0E'] as const;

function timerOf(workflow: string, trigger: number, due: Millis): Timer {
  return { execution: scheduleKey(workflow), timer: 'schedule', node: trigger, iteration: '', attempt: 0, due };
}
