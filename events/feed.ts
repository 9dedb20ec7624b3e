import type { FeedCursor, FeedFilter, NamedEvent, PlacedStep } from './events.ts';

/** Step records of all partitions of `nf.events` as they are committed, from one reader, for many subscribers. */
export interface EventFeed {
  /** Where the feed stands: behind all that subscribers have been handed. */
  readonly cursor: FeedCursor;
  /** Step records, in order within an execution. What the filter leaves out is neither decoded further nor handed on. */
  steps(filter: FeedFilter, take: (step: PlacedStep, cursor: FeedCursor) => void): Subscription;
  /**
   * Named events from a cursor on, or from now on. Old ones are read from the topic by a reader of the subscription's own,
   * until it has caught up with the feed.
   */
  events(
    filter: FeedFilter,
    from: FeedCursor | undefined,
    take: (event: NamedEvent, cursor: FeedCursor) => void,
  ): Subscription;
  close(): Promise<void>;
}

export interface Subscription {
  /** Settled when it has ended, rejected with why. */
  readonly ended: Promise<void>;
  close(): void;
}
