/** Tells on standard error what is done, how long it has taken, and how long the rest will take. */
export class Progress {
  #estimate: number;
  readonly #began = performance.now();
  /** Estimated seconds of the steps that have ended, and what they took. */
  #due = 0;
  #took = 0;

  constructor(estimatedSeconds: number) {
    this.#estimate = estimatedSeconds;
  }

  /** Seconds since the beginning. */
  get elapsed(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** What a second of the estimates takes on this machine. */
  get pace(): number {
    return this.#due === 0 ? 1 : this.#took / this.#due;
  }

  /** So many seconds of estimates are still to be done. */
  expect(seconds: number): void {
    this.#estimate = this.#due + seconds;
  }

  say(text: string): void {
    const minutes = this.elapsed / 60;
    const left = Math.max(0, (this.#estimate - this.#due) * this.pace) / 60;
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
