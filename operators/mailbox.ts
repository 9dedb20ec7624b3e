import type { Millis } from '../core/ids.ts';

/**
 * A way into one task for what does not come from the log. Messages are taken in the order in which they were posted,
 * between records, each in a step of its own, and what one leads to is committed with the epoch like all else. The message
 * itself is kept nowhere: where the epoch fails, or the task is given up, it is as if it had not been posted. So whoever
 * posts goes by what comes out committed, and until then keeps the message, to bring it again some other way.
 */
export interface Mailbox<M> {
  /** To be taken at this time, in whole milliseconds. Nothing happens once it is closed. */
  post(message: M, at: Millis): void;
}

export interface MailboxOwner<M> {
  /** The task has come up. */
  opened(mailbox: Mailbox<M>): void;
  /** The task was given up, or goes back to its last commit and comes up anew. */
  closed(): void;
  /** May run again after a cold read, as a record does; what it did is undone then. */
  take(message: M, at: Millis): void;
  /** The epoch is committed in which it was taken; never told of what was not, nor behind `closed`. */
  committed?(message: M): void;
  /** `take` has failed on it, and policy says to go on: it is passed over, nothing that it did stands. */
  refuse(message: M): void;
}
