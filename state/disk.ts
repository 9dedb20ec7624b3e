import type { Bytes } from '../core/bytes.ts';
import type { Millis, Position } from '../core/ids.ts';

/**
 * What lies behind the hot rows: an ordered map of bytes, read and written asynchronously. Keys:
 *
 *     table id (2 bytes), for windowed tables the pane (int64 with its sign bit turned), then the key bytes
 *
 * Pane first: a pane is one range, so dropping it is one range delete and a scan of it one range read, while a
 * point read is the same either way.
 */
export interface Disk {
  /** Ids of tables by name; every table of the task has one. */
  readonly tableIds: ReadonlyMap<string, number>;
  /** As they were when the disk was opened. */
  readonly positions: ReadonlyMap<string, Position>;
  readonly refreshedAt: Millis | undefined;
  /** Panes with rows, by table; a plain table has none or one. */
  readonly panes: ReadonlyMap<string, readonly number[]>;
  /** Values by key, `null` where there is none. */
  getMany(keys: readonly Bytes[]): Promise<readonly (Bytes | null)[]>;
  /** Up to `limit` rows with keys in `[from, to)`, ascending. */
  range(from: Bytes, to: Bytes, limit: number): Promise<DiskRows>;
  /** One atomic write of all that `fill` puts in. Bytes handed over are not changed until it ends. */
  write(fill: (batch: DiskBatch) => void): Promise<void>;
  close(): Promise<void>;
}

export interface DiskRows {
  readonly keys: readonly Bytes[];
  readonly values: readonly Bytes[];
}

/** Applied in order. */
export interface DiskBatch {
  put(key: Bytes, value: Bytes): void;
  delete(key: Bytes): void;
  deleteRange(from: Bytes, to: Bytes): void;
  position(table: string, position: Position | undefined): void;
  refreshedAt(at: Millis): void;
}
