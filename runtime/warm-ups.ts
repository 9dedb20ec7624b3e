import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

/** Some have caught up and others have not for so long: then those are asked for. */
const PATIENCE_MS: Millis = 10_000;
/** The pause behind a request that changed nothing, at first and at most. */
const FIRST_PAUSE_MS: Millis = 5000;
const LONGEST_PAUSE_MS: Millis = 300_000;

/**
 * When a member asks for a new assignment: when the warm-ups that it was given have caught up, so that it can have
 * their tasks. All at once where they come about together, since each assignment is work for every member.
 */
export class WarmUps {
  readonly #clock: Clock;
  readonly #acceptableLag: number;
  #tasks: readonly string[] = [];
  #someSince: number | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(clock: Clock, acceptableLag: number) {
    this.#clock = clock;
    this.#acceptableLag = acceptableLag;
  }

  /** A new assignment, with these. */
  given(tasks: readonly string[]): void {
    this.#someSince = undefined;
    if (tasks.join() === this.#tasks.join()) return;
    this.#tasks = tasks;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Whether to ask now. `undefined` lag: the standby is not open yet. */
  mustAsk(lagOf: (task: string) => number | undefined): boolean {
    const now = this.#clock.monotonic();
    const ready = this.#tasks.filter((task) => (lagOf(task) ?? Number.POSITIVE_INFINITY) <= this.#acceptableLag).length;
    if (ready === 0) this.#someSince = undefined;
    else this.#someSince ??= now;
    const isEnough = ready === this.#tasks.length || now - (this.#someSince ?? now) >= PATIENCE_MS;
    if (ready === 0 || !isEnough || now < this.#notBefore) return false;
    this.#notBefore = now + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return true;
  }
}
