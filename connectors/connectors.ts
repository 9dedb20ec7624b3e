import type { Json, Position } from '../core/ids.ts';

/**
 * Named doors to other systems. A {@link Source} is read in splits; each split is read from a position by
 * one task at a time, in order, and yields the same records from the same position every time: that is what
 * makes a restart exact. Positions are whole numbers chosen by the source (rows, bytes).
 *
 * A batch is columnar where the system is: `at(i)` moves one flyweight and returns it, valid until the next call.
 */
export interface Source<T> {
  /** What it is, for the plan and for people; holds no secrets. */
  readonly description: Json;
  /** False for sources without an end. */
  readonly bounded: boolean;
  /** Fixed for the life of a run. Checks that the thing is there and readable, with a clear error. */
  splits(): Promise<readonly Split[]>;
  /** A reader of a split from a position (0: its start). */
  open(split: Split, from: Position): Promise<SplitReader<T>>;
}

export interface Split {
  readonly id: string;
  /** Records in it, where known: for progress. */
  readonly records?: number;
}

export interface SplitReader<T> {
  /** The next records, at most `max`; `undefined` at the end of a bounded split. */
  next(max: number): Promise<SourceBatch<T> | undefined>;
  close(): Promise<void>;
}

export interface SourceBatch<T> {
  readonly count: number;
  at(index: number): T;
  /** The position behind record `index`. */
  positionAfter(index: number): Position;
}

export { csvFile } from './files/csv.ts';
export { parquetFile } from './files/parquet.ts';
export { generator } from './generator.ts';
