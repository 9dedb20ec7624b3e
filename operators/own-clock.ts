import type { Millis } from '../core/ids.ts';
import type { KeptNumber, OperatorClock } from './operators.ts';

/** A clock that only the operator's own records move: the largest time among them. */
export class OwnClock implements OperatorClock {
  readonly #number: KeptNumber;

  constructor(number: KeptNumber) {
    this.#number = number;
  }

  get value(): Millis {
    return this.#number.value;
  }

  see(at: Millis): void {
    if (at > this.#number.value) this.#number.set(at);
  }

  finish(at: Millis): void {
    this.see(at);
  }
}
