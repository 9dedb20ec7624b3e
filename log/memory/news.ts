import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';

/** Wakes whoever waits for something to change. */
export class News {
  #waiting = new Set<() => void>();

  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next news; with `false` after `maxWaitMs`, or when the signal aborts. */
  wait(clock: Clock, maxWaitMs: Millis, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (news: boolean) => {
        cancel();
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', give);
        resolve(news);
      };
      const wake = () => end(true);
      const give = () => end(false);
      const cancel = maxWaitMs === Number.POSITIVE_INFINITY ? () => undefined : clock.after(maxWaitMs, give);
      this.#waiting.add(wake);
      signal?.addEventListener('abort', give, { once: true });
    });
  }
}
