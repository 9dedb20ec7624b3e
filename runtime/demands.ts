interface Demand {
  work(): Promise<void>;
  resolve(): void;
  reject(failure: unknown): void;
}

/** What others ask of a loop: done in it, between two turns, one after the other. */
export class Demands {
  readonly #waiting: Demand[] = [];
  readonly #notify: () => void;
  #over = false;

  constructor(notify: () => void) {
    this.#notify = notify;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when it is done, or the loop has ended. */
  ask(work: () => Promise<void>): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#notify();
    });
  }

  /** Does what was asked. `passes`: the loop takes care of this failure, and whoever asked is not told. */
  async meet(passes: (thrown: unknown) => boolean): Promise<void> {
    for (let demand = this.#waiting.shift(); demand !== undefined; demand = this.#waiting.shift()) {
      try {
        await demand.work();
        demand.resolve();
      } catch (thrown) {
        if (passes(thrown)) demand.resolve();
        else demand.reject(thrown);
      }
    }
  }

  /** The loop has ended: nothing is done any more. */
  end(): void {
    this.#over = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}
