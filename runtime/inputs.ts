import type { Bytes } from '../core/bytes.ts';
import type { Millis, Position } from '../core/ids.ts';
import type { Push, Rec, Screen } from '../operators/operators.ts';

/**
 * One input of a task: a partition of a topic, or a split of a connector. It holds what was fetched and not yet
 * processed, and moves one {@link Rec} over it. The task drives it:
 *
 *     while (input.fill()) { input.load(); input.push(input.record); input.shift(); }
 *
 * `load` may be called again for the same record: after a miss the record runs again.
 */
export interface Input {
  /** The topic, or `@<node>` for the splits of a connector. */
  readonly topic: string;
  readonly partition: number;
  /** The node it feeds. */
  readonly node: string;
  readonly record: Rec;
  readonly push: Push;
  /** The filter that alone takes its records, where that may be asked by `sift`. */
  readonly screen: Screen | undefined;
  /**
   * Passes over up to `most` records, none later than `until`, that the screen drops; answers how many. Stops before
   * any other record, and before one that has to be pushed to be judged.
   */
  sift(most: number, until: Millis): number;
  /** The largest event time among those that the last `sift` passed over. */
  readonly siftedTime: Millis;
  /** The last `sift` stopped before a record that the screen takes. */
  readonly accepted: boolean;
  /** Makes the next record available; false when nothing is here. */
  fill(): boolean;
  /** Event time of the record that `fill` made available. */
  readonly head: Millis;
  /** How far it may go at the moment, where it goes together with others. */
  readonly ceiling?: (() => Millis) | undefined;
  /** Moves `record` to it. */
  load(): void;
  shift(): void;
  /** The position of the next record to process: what a commit says. */
  readonly position: Position;
  /** Records of it that were pushed; the task counts them. */
  taken: number;
  /** Records that went by in whole batches, unopened. */
  readonly passed: number;
  /** Everything it will ever bring has been processed. */
  readonly ended: boolean;
  /** Nothing waits here, but more is known to be on its way. */
  readonly awaited: boolean;
  /** More may be on its way until it has ended, or all that write it have: other tasks of the run, which will end. */
  readonly awaitsEnd: boolean;
  /** Records known to lie before it. */
  readonly lag: number;
  /** Goes `count` records further without pushing, and back: for the probe after a miss. */
  readonly left: number;
  seek(index: number): void;
  readonly index: number;
  /** Why the record of `fill` cannot be decoded, or `undefined` where it can. Decodes it wholly, which may miss: for failures only. */
  undecodable(): string | undefined;
  /** Key and value of the loaded record as they came, for dead letters. */
  original(): Original;
}

/** Bytes of a record as it came; a start of -1 is null. */
export interface Original {
  readonly bytes: Bytes;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}
