import { aborted } from '../../core/aborted.ts';
import { HELD_AFTER } from '../lifecycle/lifecycle.ts';

/**
 * When a task is kept apart, and when it is held. Counted are the processes in a row that have ended while it ran, and the
 * task is one of many that ran then. So those that were there are called together once more; where that ends a process
 * again, a few at a time, then each alone among them; the one that ends further processes is held. See
 * docs/workflows/quarantine.md.
 */
export interface QuarantineSettings {
  /** From so many on at most `groupOf` of them run at a time in a process. */
  readonly groupAfter: number;
  readonly groupOf: number;
  /** From so many on it runs when no other does in the process that has lost one. */
  readonly aloneAfter: number;
  /** From so many on it is held for an intervention. `Infinity`: it never is, and fails when there are twenty. */
  readonly heldAfter: number;
}

export const DEFAULT_QUARANTINE: QuarantineSettings = {
  groupAfter: 2,
  groupOf: 8,
  aloneAfter: 3,
  heldAfter: HELD_AFTER,
};

/**
 * The tasks of a process that have lost a process before, and run again: as many at a time as those may who are among
 * them. In the order in which they come, so that none waits for ever. What has lost none is no concern of it.
 */
export class CallGate {
  readonly #settings: Omit<QuarantineSettings, 'heldAfter'>;
  readonly #running = new Set<Guest>();
  readonly #waiting: Guest[] = [];

  constructor(settings: Omit<QuarantineSettings, 'heldAfter'>) {
    this.#settings = settings;
  }

  /** Resolves when it may run, with what says that it does no more. Rejects when it is given up before. */
  async enter(lost: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (lost === 0) return () => undefined;
    const guest: Guest = { most: this.#most(lost), let: () => undefined };
    const turn = new Promise<void>((resolve) => {
      guest.let = resolve;
    });
    this.#waiting.push(guest);
    this.#letIn();
    try {
      await Promise.race([turn, aborted(signal)]);
    } catch (thrown) {
      this.#leave(guest);
      throw thrown;
    }
    return () => this.#leave(guest);
  }

  #most(lost: number): number {
    const { groupAfter, groupOf, aloneAfter } = this.#settings;
    if (lost >= aloneAfter) return 1;
    return lost >= groupAfter ? Math.max(1, groupOf) : Number.POSITIVE_INFINITY;
  }

  #letIn(): void {
    let most = Number.POSITIVE_INFINITY;
    for (const guest of this.#running) most = Math.min(most, guest.most);
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      most = Math.min(most, next.most);
      if (this.#running.size >= most) return;
      this.#waiting.shift();
      this.#running.add(next);
      next.let();
    }
  }

  #leave(guest: Guest): void {
    this.#running.delete(guest);
    const place = this.#waiting.indexOf(guest);
    if (place >= 0) this.#waiting.splice(place, 1);
    this.#letIn();
  }
}

interface Guest {
  /** As many may run at once, with it. */
  readonly most: number;
  let: () => void;
}
