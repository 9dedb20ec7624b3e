import type { Socket } from 'node:net';

/** One direction of a connection: frames leave in order, and wait while the lane is blocked. */
export class Lane {
  readonly #to: Socket;
  readonly #from: Socket;
  /** Frames that wait, and marks that run when all before them has left. */
  readonly #queue: (Buffer | (() => void))[] = [];
  #blocks = 0;
  #silent = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    to.on('drain', () => from.resume());
  }

  get waiting(): number {
    return this.#queue.length;
  }

  send(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#flush();
  }

  /** Runs when everything before it has left. */
  mark(then: () => void): void {
    this.#queue.push(then);
    this.#flush();
  }

  /** Nothing leaves until the answer is called. */
  block(): () => void {
    this.#blocks++;
    let blocked = true;
    return () => {
      if (blocked) this.#blocks--;
      blocked = false;
      this.#flush();
    };
  }

  /** From now on everything is swallowed. */
  silence(): void {
    this.#silent = true;
    this.#queue.length = 0;
  }

  #flush(): void {
    while (this.#blocks === 0) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      if (typeof next === 'function') next();
      else if (!this.#silent && this.#to.writable && !this.#to.write(next)) this.#from.pause();
    }
  }
}
