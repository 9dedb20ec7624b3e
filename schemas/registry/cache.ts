import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';

/**
 * Answers that hold for good, and absences that hold for a while. Whoever asks for what is being asked for already
 * waits for that answer; a failure is nobody's answer later.
 */
export class AnswerCache<T> {
  readonly #clock: Clock;
  readonly #absentMs: Millis;
  readonly #most: number;
  readonly #known = new Map<string, T>();
  readonly #absent = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<T | undefined>>();
  /** How often nobody had to be asked. */
  hits = 0;

  constructor(clock: Clock, absentMs: Millis, most = 10_000) {
    this.#clock = clock;
    this.#absentMs = absentMs;
    this.#most = most;
  }

  get(key: string, ask: () => Promise<T | undefined>): Promise<T | undefined> {
    const here = this.#here(key);
    if (here !== undefined) {
      this.hits++;
      return here;
    }
    const asked = ask().then((answer) => {
      if (answer === undefined) this.#put(this.#absent, key, this.#clock.monotonic() + this.#absentMs);
      else this.put(key, answer);
      return answer;
    });
    this.#underWay.set(key, asked);
    const over = () => this.#underWay.delete(key);
    asked.then(over, over);
    return asked;
  }

  #here(key: string): Promise<T | undefined> | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const until = this.#absent.get(key);
    if (until !== undefined && this.#clock.monotonic() < until) return Promise.resolve(undefined);
    return this.#underWay.get(key);
  }

  put(key: string, answer: T): void {
    this.#absent.delete(key);
    this.#put(this.#known, key, answer);
  }

  /** What is asked for next is asked anew. */
  forget(key: string): void {
    this.#absent.delete(key);
    this.#known.delete(key);
  }

  /** The oldest goes where there are too many. */
  #put<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size > this.#most) map.delete(map.keys().next().value!);
  }
}
