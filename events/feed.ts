import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Position } from '../core/ids.ts';
import type { BatchView } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import type { FeedCursor, FeedFilter, GraphNames, NamedEvent, PlacedStep, StepRecord } from './events.ts';

/**
 * Step records of all partitions of `nf.events` as they are committed: one reader for any number of subscribers, who are
 * called in the order of the records of each partition, so of each execution.
 *
 * A subscription that begins at a cursor reads what is older by a reader of its own, until it has come to where the feed
 * stands; then it goes on with the feed, without a gap and without anything twice. The cursor that is handed out with a
 * step is the place behind it; with an event it is the place behind its step if it is the last one of that step, else the
 * place before: who goes on from there gets the events of that step again, with equal `seq` and `index`.
 *
 * Where the log tells where it ends, nothing is read as long as there is no subscriber and the watcher waits for nothing.
 *
 * A record that cannot be decoded ends the subscriptions that come to it, with `schema.mismatch` and where it stands; the
 * feed goes on behind it.
 */
export interface EventFeed {
  /**
   * Where the feed stands: behind all that subscribers have been handed, and where the log tells where it ends, behind all
   * that is committed.
   */
  readonly cursor: FeedCursor;
  /** The cursor is behind whatever a commit has been answered for, whether or not it has been read. */
  readonly knowsEnds: boolean;
  /** Step records from a cursor on, or from now on. An empty cursor: from the beginning. */
  steps(filter: FeedFilter, from: FeedCursor | undefined, take: TakeStep): Subscription;
  /** Named events, likewise. What the filter leaves out is never turned into words. */
  events(filter: FeedFilter, from: FeedCursor | undefined, take: TakeEvent): Subscription;
  /** The watcher waits for something now. */
  wake(): void;
  close(): Promise<void>;
}

/** A promise holds the subscription's own reader back, while it reads what is older; the feed waits for nobody. */
export type TakeStep = (step: PlacedStep, cursor: FeedCursor) => void | Promise<void>;
export type TakeEvent = (event: NamedEvent, cursor: FeedCursor) => void;

export interface Subscription {
  /** Where it stands: behind all that it was handed, and what lies there that is not for it. */
  readonly cursor: FeedCursor;
  /** Resolves when it was closed; rejects with why it ended by itself. */
  readonly ended: Promise<void>;
  close(): void;
}

/**
 * Sees every batch that the feed reads before its subscribers do, with nothing of it decoded: one reader serves both. It
 * must not throw.
 */
export interface Watcher {
  /** Whether it waits for anything. What is committed while it does not, and nobody subscribes, it may never see. */
  readonly waits: boolean;
  /** The records of an open batch from this position on. After a failure to read a batch may come again. */
  take(view: BatchView, from: Position): void;
  /** It could not be read just now; the feed tries again. */
  failed(reason: unknown): void;
}

export interface FeedParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly partitions: number;
  decode(bytes: Bytes, start: number, end: number): StepRecord;
  /** Of a definition by its hash. */
  names(definition: string): GraphNames;
  /**
   * Steps of a definition that another process has published may come before its words are known here: resolves when they
   * are, and no step of it is handed out before. Undefined: there is nothing to wait for.
   */
  known?(definition: string): Promise<void> | undefined;
  readonly watcher?: Watcher;
}
