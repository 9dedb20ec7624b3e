import type { Millis } from './ids.ts';

/**
 * The only source of time. Everything that waits, times out or stamps takes a Clock, so that the
 * whole engine runs on a virtual one.
 */
export interface Clock {
  /** Wall clock, for timestamps that people or other systems see. May jump. */
  now(): Millis;
  /** Monotonic milliseconds with fractions, for spans. Never jumps. */
  monotonic(): number;
  /** Resolves after `ms`, or at once with `false` when the signal aborts. */
  sleep(ms: Millis, signal?: AbortSignal): Promise<boolean>;
  /** Runs `task` once after `ms`; the answer cancels it. Keeps the process alive only where it is said to. */
  after(ms: Millis, task: () => void, keepsAlive?: boolean): () => void;
  /** Lets everything else that is ready run once: I/O answers, messages, timers that are due. */
  turn(): Promise<void>;
}

/** Waits from here on are not for something that is hoped for soon. */
const LONG_MS: Millis = 50;

/**
 * Timers of Node go by a clock of whole milliseconds, and may fire almost one early: whoever then looks at the monotonic
 * clock would have to wait once more.
 */
function timerMs(ms: Millis): Millis {
  return ms < LONG_MS ? ms : ms + 1;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve(true);
      }, timerMs(ms));
      const stop = () => {
        clearTimeout(timer);
        resolve(false);
      };
      signal?.addEventListener('abort', stop, { once: true });
    });
  },
  after(ms, task, keepsAlive = false) {
    const timer = setTimeout(task, timerMs(ms));
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
  turn() {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  },
};

/** A clock that moves only by `advance`. Timers fire in order of time, then of registration. */
export class VirtualClock implements Clock {
  #now: Millis;
  readonly #timers: { readonly at: Millis; readonly serial: number; readonly task: () => void }[] = [];
  #serial = 0;

  constructor(start: Millis = 0) {
    this.#now = start;
  }

  now(): Millis {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: Millis, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve(true);
      });
      const stop = () => {
        cancel();
        resolve(false);
      };
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  after(ms: Millis, task: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), serial: this.#serial++, task };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Moves time forward, firing every timer that falls due, also those that timers set. */
  advance(ms: Millis): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.nextTimer();
      if (next === undefined || next > end) break;
      this.#now = Math.max(this.#now, next);
      this.#fireFirst();
    }
    this.#now = end;
  }

  /** When the earliest timer falls due, or `undefined` where none waits. */
  nextTimer(): Millis | undefined {
    let next: Millis | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next) next = timer.at;
    return next;
  }

  #fireFirst(): void {
    let first = 0;
    for (let i = 1; i < this.#timers.length; i++) {
      const a = this.#timers[i]!;
      const b = this.#timers[first]!;
      if (a.at < b.at || (a.at === b.at && a.serial < b.serial)) first = i;
    }
    const [timer] = this.#timers.splice(first, 1);
    timer!.task();
  }
}
