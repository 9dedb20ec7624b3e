import type { Millis } from '../core/ids.ts';
import type { Settling, Step } from '../core/step.ts';
import type { MailboxOwner, ResumableScan } from '../operators/operators.ts';

interface Posted {
  readonly owner: MailboxOwner<unknown>;
  readonly message: unknown;
  readonly at: Millis;
}

/** Taken in one run of the task: the others, and a commit, get their turn in between. */
const MOST_AT_ONCE = 256;

/** The mailboxes of one task: a scan that takes what was posted, oldest first. */
export class Mailboxes implements ResumableScan, Settling {
  readonly #step: Step;
  readonly #notify: () => void;
  readonly #owners: MailboxOwner<unknown>[] = [];
  #queue: Posted[] = [];
  #taken = 0;
  /** How many more are taken in this run. */
  #left = 0;
  #closed = false;

  constructor(step: Step, notify: () => void) {
    this.#step = step;
    this.#notify = notify;
  }

  add(owner: MailboxOwner<unknown>): void {
    this.#owners.push(owner);
  }

  /** The task has come up. */
  open(): void {
    for (const owner of this.#owners) {
      owner.opened({
        post: (message, at) => {
          if (this.#closed) return;
          this.#queue.push({ owner, message, at });
          this.#notify();
        },
      });
    }
  }

  /** Something was posted that was not taken. */
  get waiting(): boolean {
    return this.#taken < this.#queue.length;
  }

  /** A run of the task begins. */
  begin(): void {
    this.#queue.splice(0, this.#taken);
    this.#taken = 0;
    this.#left = MOST_AT_ONCE;
  }

  advance(): boolean {
    const next = this.#queue[this.#taken];
    if (next === undefined) return false;
    this.#step.touchSettling(this);
    next.owner.take(next.message, next.at);
    return this.#left > 1;
  }

  skip(): void {
    const { owner, message } = this.#queue[this.#taken]!;
    this.#step.touchSettling(this);
    owner.refuse(message);
  }

  /** It is taken: what it did stands. */
  settle(): void {
    this.#left--;
    this.#taken++;
    if (this.#taken < this.#queue.length) return;
    this.#queue = [];
    this.#taken = 0;
  }

  rollback(): void {}

  /** What was not taken is forgotten. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#taken = 0;
    for (const owner of this.#owners) owner.closed();
  }
}
