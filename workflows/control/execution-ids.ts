import type { Millis } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import { readTime } from '../schedule-triggers.ts';
import { rootOf } from './messages.ts';

const TIME_DIGITS = 9;
const MADE = /^[0-9a-z]{9}[0-9a-f]{16}$/;

/** An id for an execution that is about to start: its time, then chance, so that its first step is found by its id. */
export function newExecutionId(at: Millis): string {
  const time = Math.max(0, Math.floor(at)).toString(36);
  return `${time.padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS)}${uniqueId().slice(0, 16)}`;
}

/**
 * How ids of executions begin that a node has started for records; what names the record follows. `first`: by whose id the
 * segments of the parent are called.
 */
export function idsForRecords(first: string, node: string, iteration: string): string {
  return `${first}/${node}${iteration === '' ? '' : `@${iteration}`}~`;
}

/** Whether an execution was started for a record. What goes on from a savepoint begins with the sign: `x/~2`. */
export function isForRecord(execution: string): boolean {
  return execution.indexOf('~', execution.lastIndexOf('/') + 2) > 0 && execution.includes('/');
}

/** When an id was made, if it was made here. Children have begun later than their root. */
export function timeOfId(execution: string): Millis | undefined {
  const root = rootOf(execution);
  return MADE.test(root) ? Number.parseInt(root.slice(0, TIME_DIGITS), 36) : undefined;
}

/** The time of a schedule that an id names: it was started then, or any time later. */
export function dueTimeOfId(execution: string): Millis | undefined {
  const root = rootOf(execution);
  const at = root.lastIndexOf('@');
  return at < 0 ? undefined : readTime(root.slice(at + 1));
}
