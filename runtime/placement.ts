import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';
import type { GroupIdentity } from '../log/log.ts';

/** How long an epoch that the group refused waits for the assignment under which it may go on. */
const PATIENCE_MS: Millis = 8000;

/**
 * Which tasks a worker has been given, and under which identity. A generation comes together with its tasks, and is
 * used only for tasks among them; so an epoch that began under an older generation is committed under a newer one
 * only where the worker kept all its tasks.
 */
export class Placement {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #identity: GroupIdentity | undefined;
  #tasks: readonly string[] = [];
  /** Since which offer each task has been its own without interruption. */
  #since: ReadonlyMap<string, number> = new Map();
  #offers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get identity(): GroupIdentity | undefined {
    return this.#identity;
  }

  get tasks(): readonly string[] {
    return this.#tasks;
  }

  offer(identity: GroupIdentity, tasks: readonly string[]): void {
    const offer = ++this.#offers;
    this.#identity = identity;
    this.#since = new Map(tasks.map((task) => [task, this.#since.get(task) ?? offer]));
    this.#tasks = tasks;
    this.#wake();
  }

  /** A newer identity, with which it may go on for those of its tasks that are among these. */
  renew(identity: GroupIdentity, tasks: readonly string[]): void {
    // who was offered nothing yet has nothing to go on with
    if (this.#identity === undefined) return;
    this.#identity = identity;
    this.withdraw(this.#tasks.filter((task) => !tasks.includes(task)));
  }

  /** Tasks that are no longer its own; nothing is committed for them any more. */
  withdraw(tasks: readonly string[]): void {
    this.#tasks = this.#tasks.filter((task) => !tasks.includes(task));
    this.#since = new Map([...this.#since].filter(([task]) => !tasks.includes(task)));
    this.#wake();
  }

  /** Another number when the task was taken away meanwhile, and `undefined` where it is not its own. */
  since(task: string): number | undefined {
    return this.#since.get(task);
  }

  /** The identity under which these tasks may commit, `undefined` where one of them is not its own. */
  identityFor(tasks: readonly string[]): GroupIdentity | undefined {
    return tasks.every((task) => this.#since.has(task)) ? this.#identity : undefined;
  }

  /** The identity that follows one that the group refused; `undefined` where the tasks were lost, or none came. */
  async nextIdentity(refused: GroupIdentity, tasks: readonly string[]): Promise<GroupIdentity | undefined> {
    const giveUp = new AbortController();
    let late = false;
    const limit = this.#clock.sleep(PATIENCE_MS, giveUp.signal).then(() => {
      late = true;
    });
    try {
      for (;;) {
        const identity = this.identityFor(tasks);
        if (identity === undefined || late) return undefined;
        if (identity.member !== refused.member || identity.generation > refused.generation) return identity;
        await Promise.race([limit, new Promise<void>((resolve) => this.#waiting.add(resolve))]);
      }
    } finally {
      giveUp.abort();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
