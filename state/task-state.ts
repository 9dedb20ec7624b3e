import { assert } from '../core/assert.ts';
import type { Bytes } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis, Position } from '../core/ids.ts';
import { WantedReads } from './cold-reads.ts';
import { CommittedRows } from './committed-rows.ts';
import type { Disk } from './disk.ts';
import { behind, panePrefix, TABLE_ID_BYTES } from './disk-key.ts';
import { EncodedCut, type TaskTable } from './encoded-cut.ts';
import { Eviction } from './eviction.ts';
import { HotBytesTable } from './hot/bytes-table.ts';
import { HotCellTable } from './hot/cell-table.ts';
import { HotRows } from './hot/rows.ts';
import { Slab } from './hot/slab.ts';
import { Images } from './images.ts';
import { applyRecord } from './restore.ts';
import type { Cut, StateFigures, Table, TaskState, TaskStateOptions } from './state.ts';
import { PLAIN } from './state.ts';
import { fillBatch } from './write-back.ts';

const REFRESH_MS = 3_600_000;

export class HotTaskState implements TaskState {
  readonly #options: TaskStateOptions;
  readonly #disk: Disk | undefined;
  readonly #slab = new Slab();
  readonly #reads: WantedReads;
  readonly #images: Images;
  readonly #eviction: Eviction;
  readonly #committed: CommittedRows;
  readonly #tables: TaskTable[] = [];
  readonly #byName = new Map<string, { readonly parts: TaskTable; readonly table: Table }>();
  readonly #positions: Map<string, Position>;
  #restoredPositions = new Map<string, Position>();
  #refreshedAt: Millis | undefined;
  #cold = false;
  #writtenRows = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  readonly #onClosed: () => void;

  constructor(options: TaskStateOptions, disk: Disk | undefined, onClosed: () => void) {
    this.#onClosed = onClosed;
    this.#options = options;
    this.#disk = disk;
    this.#reads = new WantedReads(disk);
    this.#positions = new Map(disk?.positions);
    this.#refreshedAt = disk?.refreshedAt;
    const { step, budget } = options;
    const paneIds = { next: 1 };
    for (const spec of options.tables) {
      const width = spec.cells?.width ?? 2;
      const rows = new HotRows(
        { name: spec.name, width, slabbed: spec.cells === undefined, ordered: spec.ordered, paneIds },
        this.#slab,
        step,
        budget,
        this.#reads,
      );
      const id = disk?.tableIds.get(spec.name) ?? this.#tables.length + 1;
      const parts = { name: spec.name, id, windowed: spec.windowed, rows, format: spec.cells };
      const scanParts = { rows, step, ranges: this.#reads };
      const table = spec.cells === undefined ? new HotBytesTable(scanParts) : new HotCellTable(scanParts, spec.cells);
      this.#tables.push(parts);
      this.#byName.set(spec.name, { parts, table });
      this.#reads.add(parts);
      for (const pane of disk?.panes.get(spec.name) ?? []) rows.addPane(pane, true);
    }
    this.#images = new Images(this.#tables, options.clock, budget, disk !== undefined);
    this.#eviction = new Eviction(this.#tables, this.#images, budget);
    this.#committed = new CommittedRows(this.#tables, this.#images, options, disk);
    this.#lookForCold();
  }

  table(name: string): Table {
    return this.#named(name).table;
  }

  get tellsCommitted(): boolean {
    return this.#committed.ask();
  }

  committedTable(name: string): Table {
    const { parts, table } = this.#named(name);
    return this.#committed.table(parts, table);
  }

  get cold(): boolean {
    return this.#cold;
  }

  get wanted(): number {
    return this.#reads.wanted;
  }

  async fetchWanted(): Promise<void> {
    await Promise.all([this.#reads.fetch(), this.#committed.fetch()]);
    this.#evict();
  }

  unpin(): void {
    this.#reads.unpin();
  }

  get overBudget(): boolean {
    return this.#options.budget.usedBytes > this.#options.budget.maxBytes;
  }

  cut(): Cut {
    this.#checkBound();
    const cut = this.#committed.endEpoch(() => this.#images.encode());
    this.#lookForCold();
    return cut;
  }

  committed(cut: Cut, positions: ReadonlyMap<string, Position>): void {
    assert(cut instanceof EncodedCut, () => 'a cut of another state is committed');
    for (const [table, position] of positions) this.#positions.set(table, position);
    this.#images.commit(cut, new Map(positions));
    this.#committed.committed(cut.number);
  }

  get unwrittenBytes(): number {
    return this.#images.unwrittenBytes;
  }

  get unwrittenSince(): Millis | undefined {
    return this.#images.since;
  }

  async writeBack(): Promise<void> {
    this.#checkBound();
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    const disk = this.#disk;
    if (disk === undefined) return;
    const images = this.#images;
    const upTo = images.committed;
    const now = this.#options.clock.now();
    const stale = this.#refreshedAt === undefined || now - this.#refreshedAt > REFRESH_MS;
    if (upTo > images.written || this.#restoredPositions.size > 0 || stale) {
      images.writing = upTo;
      const restored = this.#restoredPositions;
      this.#restoredPositions = new Map();
      let rows = 0;
      await disk.write((batch) => {
        for (const [table, position] of restored) batch.position(table, position);
        rows = fillBatch(batch, images, upTo);
        batch.refreshedAt(now);
      });
      this.#writtenRows += rows;
      this.#refreshedAt = now;
      images.wrote(upTo);
    }
    this.#evict();
  }

  position(table: string): Position | undefined {
    return this.#positions.get(table);
  }

  get refreshedAt(): Millis | undefined {
    return this.#refreshedAt;
  }

  apply(
    table: string,
    key: Bytes,
    keyStart: number,
    keyEnd: number,
    value: Bytes,
    valueStart: number,
    valueEnd: number,
  ): void {
    const named = this.#named(table);
    applyRecord(named.parts, named.table, key, keyStart, keyEnd, value, valueStart, valueEnd);
  }

  restored(table: string, position: Position): void {
    this.#named(table);
    this.#positions.set(table, position);
    this.#restoredPositions.set(table, position);
    // sealed at once: after this call rows may be changed by steps, which belong to the next cut
    if (this.#tables.some(({ rows }) => rows.dirtyCount > 0 || rows.drops.length > 0)) this.#seal();
  }

  /** Rows applied from the changelog become an image that is committed already; positions go with it. */
  #seal(): void {
    const cut = this.#images.encode();
    this.#images.commit(cut, this.#restoredPositions);
    this.#restoredPositions = new Map();
  }

  async reset(table: string): Promise<void> {
    await Promise.all([this.#writing, this.#reads.idle()]);
    const { parts } = this.#named(table);
    const { rows } = parts;
    this.#positions.delete(table);
    this.#restoredPositions.delete(table);
    this.#reads.forget(rows);
    this.#images.forget(parts);
    rows.clear();
    if (this.#disk === undefined) return;
    const first = panePrefix(parts.id, false, PLAIN).subarray(0, TABLE_ID_BYTES);
    await this.#disk.write((batch) => {
      batch.deleteRange(first, behind(first));
      batch.position(table, undefined);
    });
    this.#lookForCold();
  }

  get figures(): StateFigures {
    let hotRows = 0;
    for (const { rows } of this.#tables) hotRows += rows.pages.count;
    return {
      hotRows,
      hotBytes: this.#ownBytes(),
      coldReads: this.#reads.coldReads,
      evictions: this.#eviction.evictions,
      writtenRows: this.#writtenRows,
      tables: this.#tables.map(({ name, rows }) => ({
        name,
        hotRows: rows.pages.count,
        hotBytes: rows.ownBytes,
        coldReads: rows.coldReads,
        evictions: rows.evictions,
      })),
    };
  }

  async discard(): Promise<void> {
    await this.#end();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.writeBack();
    } finally {
      await this.#end();
    }
  }

  async #end(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#writing, this.#reads.idle()]);
    this.#committed.clear();
    this.#options.budget.usedBytes -= this.#ownBytes();
    for (const { rows } of this.#tables) rows.forgetAll();
    this.#slab.clear();
    await this.#disk?.close();
    this.#onClosed();
  }

  #named(name: string): { readonly parts: TaskTable; readonly table: Table } {
    const found = this.#byName.get(name);
    assert(found !== undefined, () => `task ${this.#options.task} has no table ${name}`);
    return found;
  }

  #evict(): void {
    if (this.#disk === undefined || this.#closed) return;
    if (this.#eviction.toBudget(() => this.#ownBytes())) this.#cold = true;
  }

  #lookForCold(): void {
    this.#cold = this.#tables.some(({ rows }) => [...rows.panes.values()].some((pane) => !pane.complete));
  }

  #ownBytes(): number {
    let bytes = this.#slab.usedBytes + this.#images.retainedBytes;
    for (const { rows } of this.#tables) bytes += rows.ownBytes;
    return bytes;
  }

  #checkBound(): void {
    if (this.#disk !== undefined || !this.overBudget) return;
    const { usedBytes, maxBytes } = this.#options.budget;
    throw new FlowError(
      'state.bound',
      `task ${this.#options.task}: state takes ${usedBytes} bytes, the bound is ${maxBytes}, and there is no disk to spill to: raise state.memory, or make RocksDB available`,
    );
  }
}
