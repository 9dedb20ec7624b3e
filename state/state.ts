import type { Bytes, ByteWriter } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Millis, Position, TaskId } from '../core/ids.ts';
import type { Step } from '../core/step.ts';

/**
 * Everything that operators remember, one {@link TaskState} a task. The log decides what is true; this
 * room keeps the newest rows in memory and the rest on disk.
 *
 * **Rows.** A table maps (pane, key bytes) to a row. A pane is a window's start, or {@link PLAIN} for a
 * key-value table; all rows of a pane go together when the pane is dropped. A row carries a timestamp and
 * either bytes ({@link BytesTable}) or a fixed number of doubles ({@link CellTable}).
 *
 * **Reads are synchronous.** A row is hot (in memory), known to be absent, or cold. Reading a cold row notes
 * what is wanted and calls `step.miss()`; the task rolls the step back, awaits {@link TaskState.fetchWanted}
 * and runs the record again. Fetched rows stay pinned until {@link TaskState.unpin}. A pane or table that
 * was created empty is *complete*: absence in it needs no read until the first eviction clears the bit; after
 * that, and over a store found on disk, a filter of keys says what may be there.
 *
 * **Writes** go to hot rows, mark them dirty, and are undone by the step (each table is an Undoable).
 *
 * **Epochs.** `cut()` encodes the dirty rows once and makes them clean; the caller writes the cut to the
 * changelog and ends the transaction, then calls `committed(cut, positions)`. Only committed cuts reach the
 * disk, by `writeBack()`: the newest image per key, data and changelog positions in one batch. So the disk is
 * never ahead of the log and a crash never wipes it. When the transaction failed, the task drops the whole
 * TaskState (`discard`) and opens it anew.
 *
 * **Bounds.** A row is dirty, committed but unwritten, or written; only written rows are evicted, coldest
 * first, when the budget of the process is exceeded (`budget`). `overBudget` asks the task for an early commit
 * and a write-back. Without a disk (`directory` undefined, or the native library absent) nothing can be
 * evicted and exceeding the bound is `FlowError('state.bound')`.
 *
 * **Changelog form** (version 1). Key: the key bytes, for windowed tables followed by the pane as int64.
 * Value: byte 1 (the version), the timestamp as int64, then the row's bytes; a null value deletes the row.
 * `dropPane` appears as one record whose key is empty followed by the pane, with a value of the single byte 1.
 */
export interface StateBackend {
  open(options: TaskStateOptions): Promise<TaskState>;
  /** Tasks that have a folder keep their rows there; false where the native library cannot be loaded. */
  readonly onDisk: boolean;
  /**
   * How far the tables in a task's folder have come, for whoever asks before it is opened; `undefined` where there is
   * nothing, or nothing that can be read. A task that is open is not looked at.
   */
  look(directory: string, tables: readonly TableSpec[]): Promise<ReadonlyMap<string, Position> | undefined>;
  close(): Promise<void>;
}

export const PLAIN = 0;

export interface TaskStateOptions {
  readonly task: TaskId;
  /** The task's own folder, or `undefined` for memory alone. */
  readonly directory: string | undefined;
  readonly step: Step;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly tables: readonly TableSpec[];
  /** Told in words when a corrupt folder was set aside and the store starts empty. */
  onQuarantine(message: string): void;
}

export interface TableSpec {
  readonly name: string;
  readonly windowed: boolean;
  /** The form of the values: opaque bytes, or doubles with this format. */
  readonly cells?: RowFormat | undefined;
  /** Key order is asked for (ranges, scans of a plain table, last rows); else no order is kept. */
  readonly ordered: boolean;
}

/** How a row of doubles lies in bytes; `Cells` of `schemas/` fits. */
export interface RowFormat {
  readonly width: number;
  encode(cells: Float64Array, base: number, out: ByteWriter): void;
  decode(bytes: Bytes, start: number, end: number, cells: Float64Array, base: number): void;
}

/** One for all tasks of a process: bytes of hot rows now, and the bound. */
export interface Budget {
  readonly maxBytes: number;
  usedBytes: number;
}

export interface TaskState {
  table(name: string): Table;
  /**
   * Whether rows can be told as the committed epochs left them. Keeping what that takes begins when it is asked: until
   * the epoch at hand is committed it may be false. Kept is what rows were before they were changed, for a thousand
   * epochs from the last time it was asked.
   */
  readonly tellsCommitted: boolean;
  /**
   * A table as committed epochs left it, to be read only, in the step at hand, where it {@link TaskState.tellsCommitted}.
   * It may miss. Throws {@link UNDECIDED} where a pane is read that an epoch has dropped which is not committed.
   */
  committedTable(name: string): Table;
  /** True while a read may miss: some table holds less than all its rows in memory. */
  readonly cold: boolean;
  /** Reads wanted since the last fetch, by number. */
  readonly wanted: number;
  /** Fetches what was wanted in one read and pins it. A row touched meanwhile keeps its newer form. */
  fetchWanted(): Promise<void>;
  unpin(): void;
  readonly overBudget: boolean;
  cut(): Cut;
  committed(cut: Cut, positions: ReadonlyMap<string, Position>): void;
  /** Bytes of committed images not yet on disk, and since when. */
  readonly unwrittenBytes: number;
  readonly unwrittenSince: Millis | undefined;
  /** Writes committed images and positions to disk, then evicts down to the budget. One at a time. */
  writeBack(): Promise<void>;
  /** Where the changelog of a table is to be read from; `undefined`: from its start. */
  position(table: string): Position | undefined;
  /** When the positions on disk were last confirmed; `undefined` without a disk store. */
  readonly refreshedAt: Millis | undefined;
  /** Applies one changelog record during restore. `valueStart` -1: a deletion. */
  apply(
    table: string,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
  ): void;
  /**
   * Restore of a table has reached this position: called after each batch of records, before any step changes a
   * row. Between batches the caller writes back while `overBudget`, or when `unwrittenBytes` is large.
   */
  restored(table: string, position: Position): void;
  /** Empties a table, memory and disk: its changelog cannot continue what is on disk. */
  reset(table: string): Promise<void>;
  readonly figures: StateFigures;
  /** Writes nothing more; forgets memory. */
  discard(): Promise<void>;
  /** Writes back what is committed, then closes. */
  close(): Promise<void>;
}

export interface StateFigures {
  readonly hotRows: number;
  readonly hotBytes: number;
  readonly coldReads: number;
  readonly evictions: number;
  readonly writtenRows: number;
  readonly tables: readonly TableFigures[];
}

export interface TableFigures {
  readonly name: string;
  readonly hotRows: number;
  /** Without long keys and values, which lie in memory shared by the task's tables. */
  readonly hotBytes: number;
  readonly coldReads: number;
  readonly evictions: number;
}

/** The dirty rows of one epoch, encoded. */
export interface Cut {
  readonly rows: number;
  readonly bytes: number;
  /** Every changelog record of the cut, tables in order of their specs. Valid until `committed`. */
  forEach(
    visit: (
      table: string,
      timestamp: Millis,
      bytes: Bytes,
      keyStart: number,
      keyEnd: number,
      valueStart: number,
      valueEnd: number,
    ) => void,
  ): void;
}

export type Table = BytesTable | CellTable;

interface TableCommon {
  readonly name: string;
  /** The smallest pane that has rows, or Infinity. Like `panes`, it counts one that may have cold rows. */
  readonly firstPane: number;
  /** Panes that have rows, ascending, from `from` on. */
  panes(from?: number): readonly number[];
  /** Deletes all rows of a pane: one changelog record. */
  dropPane(pane: number): void;
  /** Rows of one pane in key-byte order, from `from` (inclusive) to `to` (exclusive) where given. */
  scan(pane: number, from?: Bytes, to?: Bytes): Scan;
  /** The last row of such a scan: a cursor that stands at it, or `undefined` where there is none. May miss. */
  last(pane: number, from?: Bytes, to?: Bytes): Scan | undefined;
  /** Whether reads of a pane may miss. */
  isCold(pane: number): boolean;
  /**
   * Tells that a row will be read in this step: where it may be cold, the fetch that the next miss brings about reads
   * it too. Never misses.
   */
  ahead(pane: number, key: Bytes, keyStart: number, keyEnd: number): void;
  /** How many rows in memory a scan of a pane would have to sort first; 0 where they are in order. */
  unsorted(pane: number): number;
  /** Deletes a row; nothing where it is absent. */
  delete(pane: number, key: Bytes, keyStart: number, keyEnd: number): void;
}

export interface BytesTable extends TableCommon {
  readonly kind: 'bytes';
  /**
   * Finds a row. On true the value lies in `bytes[start, end)` with `timestamp` until the next call on this
   * table; those bytes stay as they are until the step ends, whatever is written meanwhile. May miss.
   */
  find(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean;
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  readonly timestamp: Millis;
  /** Writes a row, copying key and value. Needs no read and never misses. */
  put(
    pane: number,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
    timestamp: Millis,
  ): void;
}

export interface CellTable extends TableCommon {
  readonly kind: 'cells';
  /**
   * Finds a row. On true its doubles are `cells[base .. base + width)`, to be read only, and its timestamp
   * is `cells[base - 1]`, until the next call on this table. May miss.
   */
  find(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean;
  /**
   * Finds a row to change it, or creates it with zeros and timestamp 0. Answers whether it was there. The
   * row is saved for undo and marked dirty; the caller may write its cells and `cells[base - 1]` until the
   * next call on this table. May miss.
   */
  update(pane: number, key: Bytes, keyStart: number, keyEnd: number): boolean;
  readonly cells: Float64Array;
  readonly base: number;
  readonly width: number;
}

/**
 * A cursor over rows in key-byte order. `next` may miss. The cursor takes part in the step's undo: after a rollback it
 * stands where it stood when the step began, and the step that runs again sees the same rows again.
 */
export interface Scan {
  /** Moves to the next row; false at the end. */
  next(): boolean;
  readonly key: Bytes;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** The value of a bytes table. */
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  /** The row of a cell table; its timestamp at `base - 1`. */
  readonly cells: Float64Array;
  readonly base: number;
  readonly timestamp: Millis;
}

export { createStateBackend, type StateBackendOptions } from './backend.ts';
export { UNDECIDED } from './committed-table.ts';
export { imageValue, isPaneDrop, writeImageHeader } from './image.ts';
