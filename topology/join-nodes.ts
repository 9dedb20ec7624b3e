import type { Millis } from '../core/ids.ts';
import type { CodeRef } from './plan.ts';

/** By which the node tells whether an answer is still one to its row. Plans written before have none. */
export interface ForeignNames {
  readonly foreignKey: CodeRef;
  /** The format of foreign keys. */
  readonly key: string;
  /** How many unsubscriptions of each left key are on their way. */
  readonly leavings: string;
}

/** Nodes that bring two inputs together. */
export type JoinNode =
  /** Inputs: the left table, then the right one. */
  | {
      readonly kind: 'joinTables';
      readonly how: 'inner' | 'left' | 'outer';
      readonly merge: CodeRef;
      readonly store: string | null;
    }
  /**
   * A join by foreign key is three nodes, with an internal topic between each and the next. This one tells the right
   * side, where the row of the foreign key lies, what becomes of a row of the left table. Input: the left table.
   */
  | {
      readonly kind: 'subscribeForeign';
      readonly how: 'inner' | 'left';
      readonly foreignKey: CodeRef;
      /** The format of the left values, by which they are hashed. */
      readonly leftValue: string;
      /** Of an inner join: how many unsubscriptions of each left key are on their way. Plans written before have none. */
      readonly leavings?: string;
      /** Of an inner join: of the topic it sends to. Plans written before have none. */
      readonly partitions?: number;
    }
  /**
   * Keeps who subscribes to which row of the right table, and answers them with its value. Inputs: the repartition
   * behind `subscribeForeign`, then the right table. Each answer goes back to the partition that subscribed.
   */
  | {
      readonly kind: 'answerForeign';
      readonly how: 'inner' | 'left';
      readonly store: string;
      readonly rightValue: string;
    }
  /** Inputs: the left table, then the repartition behind `answerForeign`. */
  | {
      readonly kind: 'joinForeign';
      readonly how: 'inner' | 'left';
      readonly merge: CodeRef;
      readonly store: string | null;
      readonly leftValue: string;
      readonly rightValue: string;
      /** Of an inner join, by which it judges an answer that is stale: what `subscribeForeign` has too. */
      readonly names?: ForeignNames;
    }
  /** Inputs: the stream, then the table, whose store is named if it has one of its own. */
  | {
      readonly kind: 'joinTable';
      readonly how: 'inner' | 'left';
      readonly store: string | null;
      readonly merge: CodeRef;
      /** Records wait in the buffer until the clock is so far ahead of them. */
      readonly grace: { readonly ms: Millis; readonly buffer: string } | null;
    }
  /**
   * Inputs: the left stream, then the right one. A right record may be `beforeMs` earlier and `afterMs` later than the
   * left one; either may be negative, which moves the window.
   */
  | {
      readonly kind: 'joinStreams';
      readonly how: 'inner' | 'left' | 'outer';
      readonly beforeMs: Millis;
      readonly afterMs: Millis;
      readonly graceMs: Millis;
      /** A stream that is joined with itself has one store for both sides. */
      readonly leftStore: string;
      readonly rightStore: string;
      /** Of left and outer joins: records without a partner so far. */
      readonly pendingStore: string | null;
      readonly merge: CodeRef;
    }
  /** Inputs: the stream, then the global table, whose store it names. Roles `key` and `merge`. */
  | {
      readonly kind: 'joinGlobal';
      readonly how: 'inner' | 'left';
      readonly store: string;
      readonly keyOf: CodeRef;
      readonly merge: CodeRef;
    };
