/** Tells on standard error what is done, how long it has taken, and how long the rest will take. */
export class Progress {
  readonly #estimate: number;
  readonly #began = performance.now();
  /** Estimated seconds of the steps that have ended, and what they took. */
  #due = 0;
  #took = 0;

  constructor(estimatedSeconds: number) {
    this.#estimate = estimatedSeconds;
  }

  say(text: string): void {
    const minutes = (performance.now() - this.#began) / 60_000;
    const pace = this.#due === 0 ? 1 : this.#took / this.#due;
    const left = Math.max(0, (this.#estimate - this.#due) * pace) / 60;
    process.stderr.write(`[${minutes.toFixed(1)} min, about ${left.toFixed(0)} left] ${text}\n`);
  }

  /** Does a step that was estimated to take so many seconds. */
  async step<T>(name: string, seconds: number, work: () => Promise<T>): Promise<T> {
    this.say(name);
    const from = performance.now();
    try {
      return await work();
    } finally {
      this.#due += seconds;
      this.#took += (performance.now() - from) / 1000;
    }
  }
}
