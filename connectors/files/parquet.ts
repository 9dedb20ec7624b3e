import type { FileHandle } from 'node:fs/promises';
import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import type { Source, SourceBatch, Split, SplitReader } from '../connectors.ts';
import { openFile, readRange } from './open.ts';
import { type Column, columnOf, rowView } from './parquet-columns.ts';
import { COMPRESSORS, PARSERS } from './parquet-values.ts';

export interface ParquetOptions<T> {
  /** The columns to read, by name; default all. Nested columns cannot be read. */
  readonly columns?: readonly (keyof T & string)[];
  /** How many row groups make a split; default all of them, so that there is one split. */
  readonly groupsPerSplit?: number;
}

/**
 * A Parquet file, read column by column, one row group at a time. The position is the row within the split.
 *
 * Values are numbers, strings, booleans, bytes or null: whole numbers of any width are numbers (beyond ±2^53 the
 * file is refused), dates and times are milliseconds since the epoch, as if UTC.
 */
export function parquetFile<T extends object = Record<string, unknown>>(
  path: string,
  options: ParquetOptions<T> = {},
): Source<T> {
  const { columns, groupsPerSplit } = options;
  if (groupsPerSplit !== undefined && !(Number.isSafeInteger(groupsPerSplit) && groupsPerSplit > 0)) {
    throw new FlowError(
      'config.invalid',
      `${path}: groupsPerSplit must be a whole number above 0, not ${groupsPerSplit}`,
    );
  }
  return {
    description: { connector: 'parquet', path, columns: columns === undefined ? null : [...columns] },
    bounded: true,
    async splits() {
      const file = await openFile(path);
      try {
        const layout = await readLayout(file, path, columns);
        return splitsOf(layout, groupsPerSplit ?? Math.max(1, layout.groupRows.length));
      } finally {
        await file.close();
      }
    },
    async open(split, from) {
      const file = await openFile(path);
      try {
        const layout = await readLayout(file, path, columns);
        return new ParquetReader<T>(file, path, layout, split, from);
      } catch (thrown) {
        await file.close();
        throw thrown;
      }
    },
  };
}

interface Layout {
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
  readonly groupRows: readonly number[];
}

async function readLayout(file: FileHandle, path: string, wanted: readonly string[] | undefined): Promise<Layout> {
  const { size } = await file.stat();
  const buffer: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => (await readRange(file, path, start, end)).buffer,
  };
  const metadata = await guarded(path, () => parquetMetadataAsync(buffer, { parsers: PARSERS }));
  const there = parquetSchema(metadata).children;
  const columns = wanted ?? there.map((child) => child.element.name);
  for (const name of columns) {
    const column = there.find((child) => child.element.name === name);
    if (column === undefined) {
      throw new FlowError(
        'file.broken',
        `${path}: has no column ${name}; it has ${there.map((child) => child.element.name).join(', ')}`,
      );
    }
    if (column.children.length > 0 || column.element.repetition_type === 'REPEATED') {
      throw new FlowError('file.broken', `${path}: column ${name} is nested; name only flat columns`);
    }
  }
  return { buffer, metadata, columns, groupRows: metadata.row_groups.map((group) => Number(group.num_rows)) };
}

/** Ids name the row groups: `groups-0-3` are the first three. */
function splitsOf({ groupRows }: Layout, groupsPerSplit: number): Split[] {
  const splits: Split[] = [];
  for (let first = 0; first < Math.max(1, groupRows.length); first += groupsPerSplit) {
    const groups = groupRows.slice(first, first + groupsPerSplit);
    splits.push({
      id: `groups-${first}-${first + groups.length}`,
      records: groups.reduce((sum, rows) => sum + rows, 0),
    });
  }
  return splits;
}

class ParquetReader<T extends object> implements SplitReader<T> {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #layout: Layout;
  readonly #lastGroup: number;
  readonly #move: (columns: readonly Column[], row: number) => T;
  #group: number;
  /** Position of the first row of the current group. */
  #base = 0;
  #row: number;
  #columns: readonly Column[] | undefined;

  constructor(file: FileHandle, path: string, layout: Layout, split: Split, from: Position) {
    const match = /^groups-(\d+)-(\d+)$/.exec(split.id);
    const last = Number(match?.[2]);
    if (match === null || last > layout.groupRows.length) {
      throw new FlowError(
        'file.broken',
        `${path}: has no split ${split.id}; the file was replaced since: start the job anew`,
      );
    }
    this.#file = file;
    this.#path = path;
    this.#layout = layout;
    this.#group = Number(match[1]);
    this.#lastGroup = last;
    this.#row = from;
    this.#move = rowView<T>(layout.columns);
  }

  async next(max: number): Promise<SourceBatch<T> | undefined> {
    for (;;) {
      const rows = this.#layout.groupRows[this.#group] ?? 0;
      if (this.#group >= this.#lastGroup) return undefined;
      if (this.#row < this.#base + rows) {
        this.#columns ??= await this.#readGroup();
        const first = this.#row - this.#base;
        const count = Math.min(max, rows - first);
        this.#row += count;
        return this.#batch(this.#columns, first, count);
      }
      this.#base += rows;
      this.#group++;
      this.#columns = undefined;
    }
  }

  #batch(columns: readonly Column[], first: number, count: number): SourceBatch<T> {
    const move = this.#move;
    const position = this.#base + first;
    return { count, at: (index) => move(columns, first + index), positionAfter: (index) => position + index + 1 };
  }

  /** Rows of the file before the current group, which is more than `#base` in any split but the first. */
  #rowsBefore(): number {
    return this.#layout.groupRows.slice(0, this.#group).reduce((sum, rows) => sum + rows, 0);
  }

  /** One column after the other, so that only one of them is in memory in the form the library makes. */
  async #readGroup(): Promise<readonly Column[]> {
    const columns: Column[] = [];
    for (const name of this.#layout.columns) columns.push(await this.#readColumn(name));
    return columns;
  }

  async #readColumn(name: string): Promise<Column> {
    const { buffer, metadata, groupRows } = this.#layout;
    const where = `${this.#path}, column ${name}, row group ${this.#group}`;
    const rows = groupRows[this.#group]!;
    const rowStart = this.#rowsBefore();
    const pieces: { readonly at: number; readonly data: ArrayLike<unknown> }[] = [];
    await guarded(where, () =>
      parquetRead({
        file: buffer,
        metadata,
        compressors: COMPRESSORS,
        parsers: PARSERS,
        columns: [name],
        rowStart,
        rowEnd: rowStart + rows,
        onChunk: (chunk) => pieces.push({ at: chunk.rowStart - rowStart, data: chunk.columnData }),
      }),
    );
    return columnOf(pieces, rows, where);
  }

  close(): Promise<void> {
    this.#columns = undefined;
    return this.#file.close();
  }
}

/** Whatever the library throws on a broken file becomes one error that names it. */
async function guarded<R>(what: string, read: () => Promise<R>): Promise<R> {
  try {
    return await read();
  } catch (cause) {
    if (isFlowError(cause)) throw cause;
    const reason = messageOf(cause).slice(0, 200);
    throw new FlowError('file.broken', `${what}: cannot be read as Parquet (${reason}); fetch the file again`, {
      cause,
    });
  }
}
