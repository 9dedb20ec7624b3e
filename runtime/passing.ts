import type { Clock } from '../core/clock.ts';
import { doubled } from '../core/duration.ts';
import { type ErrorCode, isFlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { RunSettings } from './runtime.ts';

const PASSING: readonly ErrorCode[] = ['log.timeout', 'log.aborted', 'task.lost', 'state.corrupt'];
const MAX_PAUSE_MS: Millis = 1000;
const FIRST_PAUSE_MS: Millis = 20;
/** Fenced twice within this time, a worker gives way. */
const FENCED_AGAIN_MS: Millis = 30_000;

/** Which failures of a worker pass, so that it goes back to its last commit and on from there. */
export class Passing {
  readonly #clock: Clock;
  readonly #settings: RunSettings;
  /** When a newer owner of the transactional id last took over. */
  #fencedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, settings: RunSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /**
   * Whether going back to the last commit helps: the outcome is unknown, the log has aborted, or a store was found
   * corrupt, which is then rebuilt. A fenced producer is renewed once in a while: the log fences one whose transaction
   * was open for too long. Fenced again soon, another process has the same transactional id, and this one gives way.
   */
  is(thrown: unknown): boolean {
    if (!isFlowError(thrown)) return false;
    // a task that is opened anew goes on where there are records
    if (thrown.code === 'log.range') return this.#settings.onLostPosition !== 'fail';
    if (thrown.code !== 'log.fenced') return PASSING.includes(thrown.code);
    return this.#clock.monotonic() - this.#fencedAt > FENCED_AGAIN_MS;
  }

  /** It has gone back, for this reason, and goes on. */
  passed(reason: unknown): void {
    if (isFlowError(reason, 'log.fenced')) this.#fencedAt = this.#clock.monotonic();
  }
}

/** How long a worker waits before it goes on, when it has gone back so often since its last commit. */
export function pauseMs(attempts: number): Millis {
  return doubled(FIRST_PAUSE_MS, attempts, MAX_PAUSE_MS);
}

/** Whether a failure tells something of the tasks in whose epoch it came. */
export function isOfTasks(failure: unknown): boolean {
  return !isFlowError(failure, 'log.fenced') && !isFlowError(failure, 'task.lost');
}

/** Whether a task has failed by itself, and not since the log did not take or give something. */
export function isSurelyOwn(failure: unknown): boolean {
  return isFlowError(failure, 'state.corrupt');
}
