import type { Json, Millis } from '../../core/ids.ts';
import type { TimerKind } from '../../events/events.ts';
import type { Alarm, KeyValueStore } from '../../operators/operators.ts';

export interface Timer {
  readonly execution: string;
  readonly timer: TimerKind;
  readonly node: number;
  readonly iteration: string;
  readonly attempt: number;
  readonly due: Millis;
}

const SEPARATOR = '\0';
const DIGITS = 16;

/**
 * Timers of a partition, as rows in order of their due times. One alarm is set to the first of them, so that those which
 * sleep cost nothing; what is read when it fires begins at the time that it was set to, behind all rows that are gone.
 */
export class TimerRows {
  readonly #store: KeyValueStore<string, Json>;
  readonly #alarm: Alarm;

  constructor(store: KeyValueStore<string, Json>, alarm: Alarm) {
    this.#store = store;
    this.#alarm = alarm;
  }

  set(timer: Timer): void {
    this.#store.put(keyOf(timer), 0);
    const { due } = this.#alarm;
    if (due === undefined || timer.due < due) this.#alarm.set(Math.max(0, timer.due));
  }

  /** Nothing where it has fired or was cleared. */
  clear(timer: Timer): void {
    this.#store.delete(keyOf(timer));
  }

  /**
   * Takes those that are due, at most so many, and sets the alarm to the next one. `since`: what the alarm was set to.
   */
  take(now: Millis, since: Millis, most: number): readonly Timer[] {
    const taken: Timer[] = [];
    for (const [key] of this.#store.range(dueText(since), '9'.repeat(DIGITS + 1))) {
      const timer = timerOf(key);
      if (timer.due > now || taken.length === most) {
        this.#alarm.set(timer.due);
        break;
      }
      taken.push(timer);
    }
    for (const timer of taken) this.#store.delete(keyOf(timer));
    return taken;
  }
}

function dueText(due: Millis): string {
  return String(Math.max(0, due)).padStart(DIGITS, '0');
}

function keyOf({ execution, timer, node, iteration, attempt, due }: Timer): string {
  return [dueText(due), execution, timer, node, iteration, attempt].join(SEPARATOR);
}

function timerOf(key: string): Timer {
  const [due, execution, timer, node, iteration, attempt] = key.split(SEPARATOR) as [
    string,
    string,
    TimerKind,
    string,
    string,
    string,
  ];
  return { due: Number(due), execution, timer, node: Number(node), iteration, attempt: Number(attempt) };
}
