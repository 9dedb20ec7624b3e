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
  /** Taken in the epoch at hand, and in the one on its way; of owners who want to know. */
  #stands: Posted[] = [];
  #cut: readonly Posted[] = [];
  /** Whether the one at hand is taken, and not refused. */
  #stood = false;
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
    this.#stood = true;
    next.owner.take(next.message, next.at);
    return this.#left > 1;
  }

  skip(): void {
    const { owner, message } = this.#queue[this.#taken]!;
    this.#step.touchSettling(this);
    this.#stood = false;
    owner.refuse(message);
  }

  /** It is taken: what it did stands. */
  settle(): void {
    this.#left--;
    const taken = this.#queue[this.#taken++]!;
    if (this.#stood && taken.owner.committed !== undefined) this.#stands.push(taken);
    if (this.#taken < this.#queue.length) return;
    this.#queue = [];
    this.#taken = 0;
  }

  rollback(): void {}

  /** The epoch ends with what was taken by now. */
  cut(): void {
    if (this.#stands.length === 0) return;
    this.#cut = this.#stands;
    this.#stands = [];
  }

  /** It is committed. */
  committed(): void {
    if (this.#cut.length === 0) return;
    const committed = this.#cut;
    this.#cut = [];
    for (const { owner, message } of committed) owner.committed!(message);
  }

  /** What was not taken is forgotten, and so is what was not committed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#taken = 0;
    this.#stands = [];
    this.#cut = [];
    for (const owner of this.#owners) owner.closed();
  }
}
