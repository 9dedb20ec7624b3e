import type { Bytes } from '../core/bytes.ts';
import type { Step } from '../core/step.ts';
import { CommittedTable } from './committed-table.ts';
import type { Disk } from './disk.ts';
import { diskKey } from './disk-key.ts';
import type { TaskTable } from './encoded-cut.ts';
import { type Before, BeforeRows } from './hot/before-rows.ts';
import { checkImage } from './image.ts';
import type { Images } from './images.ts';
import type { Budget, Table } from './state.ts';

/** What one epoch did away with, of one table. */
interface Changes {
  readonly rows: ReadonlyMap<number, ReadonlyMap<string, Before>>;
  readonly drops: ReadonlySet<number>;
}

interface CutEpoch {
  readonly cut: number;
  readonly bytes: number;
  readonly tables: ReadonlyMap<TaskTable, { readonly rows: BeforeRows; readonly count: number; drops: Set<number> }>;
}

/** Epochs after which the forms of rows are no longer kept, where nobody asked. */
const KEPT_EPOCHS = 1000;

/**
 * What committed epochs left, while later ones change the rows in memory: beside each row that an epoch changes its form
 * before is kept until the epoch is committed. It begins when somebody asks, and ends when nobody has for long, so that
 * an application that is not asked pays nothing.
 */
export class CommittedRows {
  readonly #tables: readonly TaskTable[];
  readonly #images: Images;
  readonly #step: Step;
  readonly #budget: Budget;
  readonly #disk: Disk | undefined;
  /** Cut and not committed, oldest first. */
  readonly #epochs: CutEpoch[] = [];
  /** From which committed cut on all that came later is kept; `undefined`: nothing is. */
  #from: number | undefined;
  #left = 0;
  readonly #cold = new Map<Before, { readonly table: TaskTable; value: Bytes | null | undefined }>();

  constructor(
    tables: readonly TaskTable[],
    images: Images,
    { step, budget }: { readonly step: Step; readonly budget: Budget },
    disk: Disk | undefined,
  ) {
    this.#tables = tables;
    this.#images = images;
    this.#step = step;
    this.#budget = budget;
    this.#disk = disk;
  }

  /** Whether committed rows can be told; they are kept from now on. */
  ask(): boolean {
    this.#left = KEPT_EPOCHS;
    if (this.#from === undefined) {
      const isDirty = this.#tables.some(({ rows }) => rows.dirtyCount > 0 || rows.drops.length > 0);
      this.#from = this.#images.lastCut + (isDirty ? 1 : 0);
      for (const { rows } of this.#tables) rows.before = new BeforeRows();
    }
    return this.#images.committed >= this.#from;
  }

  table(parts: TaskTable, live: Table): Table {
    return new CommittedTable({
      live,
      format: parts.format,
      changes: this.#changes(parts),
      cold: (before) => this.#coldValue(parts, before),
    });
  }

  #changes(table: TaskTable): readonly Changes[] {
    const { rows } = table;
    const cut = this.#epochs.map(({ tables }) => {
      const epoch = tables.get(table)!;
      return { rows: epoch.rows.upTo(epoch.count), drops: epoch.drops };
    });
    const drops = new Set(rows.drops.map(({ value }) => value));
    return [...cut, { rows: rows.before!.upTo(rows.dirtyCount), drops }];
  }

  /** The value that disk holds of a row that was changed without being read. */
  #coldValue(table: TaskTable, before: Before): Bytes | null {
    const wanted = this.#cold.get(before);
    if (wanted?.value !== undefined) return wanted.value;
    if (wanted === undefined) this.#cold.set(before, { table, value: undefined });
    return this.#step.miss();
  }

  /** Reads from disk what was wanted. Nothing that is not committed gets there. */
  async fetch(): Promise<void> {
    const wanted = [...this.#cold].filter(([, { value }]) => value === undefined);
    if (wanted.length === 0) return;
    const keys = wanted.map(([{ pane, key }, { table }]) =>
      diskKey(table.id, table.windowed, pane, key, 0, key.length),
    );
    const values = await this.#disk!.getMany(keys);
    for (const [i, [, read]] of wanted.entries()) {
      const value = values[i]!;
      if (value !== null) checkImage(read.table.name, value, 0, value.length);
      read.value = value;
    }
  }

  /** Ends the epoch at hand by `cut`, which answers its number. */
  endEpoch<C extends { readonly number: number }>(cut: () => C): C {
    if (this.#from === undefined) return cut();
    const tables = new Map<TaskTable, { rows: BeforeRows; count: number; drops: Set<number> }>();
    let bytes = 0;
    for (const table of this.#tables) {
      const { rows } = table;
      const drops = new Set(rows.drops.map(({ value }) => value));
      tables.set(table, { rows: rows.before!, count: rows.dirtyCount, drops });
      if (rows.dirtyCount > 0) bytes += rows.before!.bytes;
      if (rows.dirtyCount > 0) rows.before = new BeforeRows();
    }
    const done = cut();
    this.#budget.usedBytes += bytes;
    this.#epochs.push({ cut: done.number, bytes, tables });
    this.#left--;
    if (this.#left === 0) this.clear();
    return done;
  }

  committed(cut: number): void {
    while (this.#epochs.length > 0 && this.#epochs[0]!.cut <= cut)
      this.#budget.usedBytes -= this.#epochs.shift()!.bytes;
    this.#cold.clear();
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.#from = undefined;
    for (const { bytes } of this.#epochs.splice(0)) this.#budget.usedBytes -= bytes;
    for (const { rows } of this.#tables) rows.before = undefined;
    this.#cold.clear();
  }
}
