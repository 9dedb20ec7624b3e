import { VirtualClock } from '../core/clock.ts';
import { taskId } from '../core/ids.ts';
import { Step } from '../core/step.ts';
import type { Budget, BytesTable, CellTable, Cut, StateBackend, TaskState } from './state.ts';
import { TABLES } from './store-oracle.ts';

/** One task's state under test, with the few lines that every test of it repeats. */
export class TestTask {
  readonly step = new Step();
  readonly clock = new VirtualClock();
  readonly budget: Budget;
  readonly quarantines: string[] = [];
  state!: TaskState;
  readonly #backend: StateBackend;
  readonly #directory: string | undefined;
  #position = 0;

  constructor(backend: StateBackend, directory: string | undefined, maxBytes = 1e9) {
    this.#backend = backend;
    this.#directory = directory;
    this.budget = { maxBytes, usedBytes: 0 };
  }

  async open(): Promise<this> {
    this.state = await this.#backend.open({
      task: taskId('test', 0),
      directory: this.#directory,
      step: this.step,
      clock: this.clock,
      budget: this.budget,
      tables: TABLES,
      onQuarantine: (message) => this.quarantines.push(message),
    });
    return this;
  }

  get sums(): CellTable {
    return this.state.table('sums') as CellTable;
  }

  get pages(): BytesTable {
    return this.state.table('pages') as BytesTable;
  }

  /** Runs a step until it misses nothing. */
  async run<T>(work: () => T): Promise<T> {
    for (;;) {
      const done = this.attempt(work);
      if (done !== undefined) {
        this.state.unpin();
        return done.result;
      }
      await this.state.fetchWanted();
    }
  }

  /** Runs a step once; `undefined` where it missed. */
  attempt<T>(work: () => T): { readonly result: T } | undefined {
    this.step.begin();
    try {
      const result = work();
      this.step.settle();
      return { result };
    } catch (thrown) {
      if (!this.step.missed) throw thrown;
      this.step.rollback();
      return undefined;
    }
  }

  /** Adds to a row of `sums`. */
  add(key: string, amount: number): void {
    const bytes = Buffer.from(key);
    this.sums.update(0, bytes, 0, bytes.length);
    this.sums.cells[this.sums.base]! += amount;
  }

  sum(key: string): number | undefined {
    const bytes = Buffer.from(key);
    return this.sums.find(0, bytes, 0, bytes.length) ? this.sums.cells[this.sums.base] : undefined;
  }

  put(pane: number, key: string, value: string): void {
    const bytes = Buffer.from(key);
    const text = Buffer.from(value);
    this.pages.put(pane, bytes, 0, bytes.length, text, 0, text.length, 1);
  }

  get(pane: number, key: string): string | undefined {
    const bytes = Buffer.from(key);
    return this.pages.find(pane, bytes, 0, bytes.length)
      ? this.pages.bytes.toString('utf8', this.pages.start, this.pages.end)
      : undefined;
  }

  rows(pane: number, from?: string, to?: string): string[] {
    const scan = this.pages.scan(
      pane,
      from === undefined ? from : Buffer.from(from),
      to === undefined ? to : Buffer.from(to),
    );
    const rows: string[] = [];
    while (scan.next()) {
      rows.push(
        `${scan.key.toString('utf8', scan.keyStart, scan.keyEnd)}=${scan.bytes.toString('utf8', scan.start, scan.end)}`,
      );
    }
    return rows;
  }

  commit(cut: Cut = this.state.cut()): number {
    this.#position += cut.rows;
    this.state.committed(cut, new Map(TABLES.map(({ name }) => [name, this.#position])));
    return this.#position;
  }

  /** Commits and writes back all there is, then evicts everything that may go. */
  async evictAll(): Promise<void> {
    this.commit();
    const bound = this.budget as { maxBytes: number };
    const { maxBytes } = bound;
    bound.maxBytes = 0;
    await this.state.writeBack();
    bound.maxBytes = maxBytes;
  }

  async reopen(): Promise<this> {
    await this.state.discard();
    return this.open();
  }
}
