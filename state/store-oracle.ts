import assert from 'node:assert/strict';
import type { Bytes } from '../core/bytes.ts';
import { VirtualClock } from '../core/clock.ts';
import { taskId } from '../core/ids.ts';
import { type Random, randomInt } from '../core/random.ts';
import { Step } from '../core/step.ts';
import type { Budget, Cut, RowFormat, Scan, StateBackend, TableSpec, TaskState } from './state.ts';

/** Two doubles a row: enough to see a mix-up of rows. */
export const PAIR: RowFormat = {
  width: 2,
  encode(cells, base, out) {
    out.double(cells[base]!);
    out.double(cells[base + 1]!);
  },
  decode(bytes, start, _end, cells, base) {
    cells[base] = bytes.readDoubleBE(start);
    cells[base + 1] = bytes.readDoubleBE(start + 8);
  },
};

export const TABLES: readonly TableSpec[] = [
  { name: 'counts', windowed: true, cells: PAIR, ordered: false },
  { name: 'sums', windowed: false, cells: PAIR, ordered: true },
  { name: 'pages', windowed: true, ordered: true },
  { name: 'names', windowed: false, ordered: false },
];

interface ChangelogRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface Operation {
  readonly kind: 'find' | 'update' | 'write' | 'delete' | 'drop' | 'scan' | 'last' | 'ahead';
  readonly table: string;
  readonly pane: number;
  readonly key: Buffer;
  readonly to: Buffer;
  readonly count: number;
}

/** The plain truth of one table: rows as text, by pane and key in hex. */
type Truth = Map<string, string>;
type Truths = Map<string, Truth>;

const place = (pane: number, key: Bytes, end = key.length) => `${pane}/${key.subarray(0, end).toString('hex')}`;
const copy = (truths: Truths): Truths => new Map([...truths].map(([name, truth]) => [name, new Map(truth)]));

/**
 * A task reduced to its state: steps, epochs, a changelog kept in arrays, crashes; and beside every table a plain
 * map that must agree with it at every read.
 */
export class OracleTask {
  readonly step = new Step();
  readonly clock = new VirtualClock();
  readonly budget: Budget;
  readonly changelog = new Map<string, ChangelogRecord[]>(TABLES.map(({ name }) => [name, []]));
  readonly quarantines: string[] = [];
  readonly seen = { misses: 0, crashes: 0, coldReads: 0, evictions: 0, replayed: 0, stale: 0 };
  state!: TaskState;
  #truths: Truths = new Map(TABLES.map(({ name }) => [name, new Map()]));
  #committed: Truths = copy(this.#truths);
  #pending: { cut: Cut; truths: Truths; records: Map<string, ChangelogRecord[]> }[] = [];
  readonly #backend: StateBackend;
  readonly #directory: string | undefined;
  readonly #random: Random;
  /** Bytes that were found in this step, each followed by the text of its row. */
  readonly #lent: (Buffer | string)[] = [];

  constructor(backend: StateBackend, directory: string | undefined, maxBytes: number, random: Random) {
    this.#backend = backend;
    this.#directory = directory;
    this.#random = random;
    this.budget = { maxBytes, usedBytes: 0 };
  }

  async open(): Promise<void> {
    this.state = await this.#backend.open({
      task: taskId('test', 0),
      directory: this.#directory,
      step: this.step,
      clock: this.clock,
      budget: this.budget,
      tables: TABLES,
      onQuarantine: (message) => this.quarantines.push(message),
    });
    for (const { name } of TABLES) await this.#restore(name);
  }

  async #restore(name: string): Promise<void> {
    const records = this.changelog.get(name)!;
    for (let i = this.state.position(name) ?? 0; i < records.length; i++) {
      const { key, value } = records[i]!;
      this.state.apply(name, key, 0, key.length, value ?? key, value === null ? -1 : 0, value?.length ?? 0);
      this.seen.replayed++;
      if (i % 7 === 6) this.state.restored(name, i + 1);
      if (i % 50 === 49 && this.state.overBudget) await this.state.writeBack();
    }
    this.state.restored(name, records.length);
  }

  /** One record: the operations in order; rolled back at the end where `keep` is false. */
  async record(operations: readonly Operation[], keep: boolean, between?: () => void): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      assert.ok(attempt < 1000, 'a record misses for ever');
      const before = copy(this.#truths);
      this.step.begin();
      try {
        for (const operation of operations) this.#run(operation);
      } catch (thrown) {
        if (!this.step.missed) throw thrown;
      }
      for (let i = 0; i < this.#lent.length; i += 2) {
        const [bytes, text] = this.#lent.slice(i) as [Buffer, string];
        assert.ok(text.endsWith(`:${bytes.toString('hex')}`), 'bytes that were found have changed within the step');
      }
      this.#lent.length = 0;
      if (!this.step.missed) {
        if (keep) this.step.settle();
        else {
          this.step.rollback();
          this.#truths = before;
        }
        this.state.unpin();
        return;
      }
      this.step.rollback();
      this.#truths = before;
      this.seen.misses++;
      assert.ok(this.state.cold, 'only a cold state may miss');
      const fetching = this.state.fetchWanted();
      if (between !== undefined && attempt === 0) {
        between();
        this.seen.stale++;
      }
      await fetching;
    }
  }

  /** Operations that need no read, as a step of their own, at once. */
  writeNow(operations: readonly Operation[]): void {
    this.step.begin();
    for (const operation of operations) this.#run(operation);
    assert.equal(this.step.missed, false, 'a write missed');
    this.step.settle();
  }

  cut(): void {
    const cut = this.state.cut();
    const records = new Map<string, ChangelogRecord[]>(TABLES.map(({ name }) => [name, []]));
    let rows = 0;
    cut.forEach((table, _timestamp, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      const value = valueStart < 0 ? null : Buffer.from(bytes.subarray(valueStart, valueEnd));
      records.get(table)!.push({ key: Buffer.from(bytes.subarray(keyStart, keyEnd)), value });
      rows++;
    });
    assert.equal(cut.rows, rows);
    this.#pending.push({ cut, truths: copy(this.#truths), records });
  }

  get uncommitted(): number {
    return this.#pending.length;
  }

  commit(): void {
    const { cut, truths, records } = this.#pending.shift()!;
    const positions = new Map<string, number>();
    for (const [name, more] of records) {
      const log = this.changelog.get(name)!;
      log.push(...more);
      positions.set(name, log.length);
    }
    this.state.committed(cut, positions);
    this.#committed = truths;
  }

  async crash(): Promise<void> {
    this.#count();
    await this.state.discard();
    this.seen.crashes++;
    this.#truths = copy(this.#committed);
    this.#pending = [];
    await this.open();
  }

  async close(): Promise<void> {
    this.#count();
    await this.state.close();
  }

  #count(): void {
    this.seen.coldReads += this.state.figures.coldReads;
    this.seen.evictions += this.state.figures.evictions;
  }

  /** Every row of every table, read by scan and by key, and the list of panes. */
  async check(): Promise<void> {
    for (const { name } of TABLES) {
      const panes = new Set([...this.#truths.get(name)!.keys()].map((at) => Number(at.split('/')[0])));
      const listed = this.state.table(name).panes();
      for (const pane of panes) assert.ok(listed.includes(pane), `pane ${pane} of ${name} is not listed`);
      if (!this.state.cold)
        assert.deepEqual(
          [...listed],
          [...panes].sort((a, b) => a - b),
        );
      for (const pane of new Set([...panes, ...listed])) {
        await this.record(
          [{ kind: 'scan', table: name, pane, key: Buffer.alloc(0), to: Buffer.alloc(0), count: 1e9 }],
          true,
        );
      }
      for (const at of this.#truths.get(name)!.keys()) {
        const [pane, key] = at.split('/');
        const bytes = Buffer.from(key!, 'hex');
        await this.record([{ kind: 'find', table: name, pane: Number(pane), key: bytes, to: bytes, count: 0 }], true);
      }
    }
  }

  #run(operation: Operation): void {
    const { table: name, pane, key } = operation;
    const table = this.state.table(name);
    const truth = this.#truths.get(name)!;
    const at = place(pane, key);
    const timestamp = randomInt(this.#random, 1000);
    switch (operation.kind) {
      case 'find': {
        const found = table.find(pane, key, 0, key.length);
        assert.equal(found ? rowText(table) : undefined, truth.get(at), `${name} ${at}`);
        if (found && table.kind === 'bytes')
          this.#lent.push(table.bytes.subarray(table.start, table.end), truth.get(at)!);
        return;
      }
      case 'update':
        if (table.kind !== 'cells') return;
        assert.equal(table.update(pane, key, 0, key.length), truth.has(at), `${name} ${at}`);
        if (truth.has(at)) assert.equal(rowText(table), truth.get(at));
        else assert.equal(rowText(table), '0:0,0');
        table.cells[table.base]! += operation.count;
        table.cells[table.base + 1] = -operation.count;
        table.cells[table.base - 1] = timestamp;
        truth.set(at, rowText(table));
        return;
      case 'write':
        if (table.kind !== 'bytes') return;
        table.put(pane, key, 0, key.length, operation.to, 0, operation.to.length, timestamp);
        truth.set(at, `${timestamp}:${operation.to.toString('hex')}`);
        return;
      case 'delete':
        table.delete(pane, key, 0, key.length);
        truth.delete(at);
        return;
      case 'drop':
        table.dropPane(pane);
        for (const each of [...truth.keys()]) if (each.startsWith(`${pane}/`)) truth.delete(each);
        return;
      case 'scan':
        this.#scan(operation);
        return;
      case 'last':
        this.#last(operation);
        return;
      case 'ahead':
        table.ahead(pane, key, 0, key.length);
    }
  }

  #scan(operation: Operation): void {
    const { table: name, pane, count } = operation;
    const { from, to, expected } = this.#range(operation);
    const scan = this.state.table(name).scan(pane, from, to);
    for (let i = 0; i < count; i++) {
      const more = scan.next();
      assert.equal(more, i < expected.length, `${name} ${pane} row ${i} of ${expected.length}`);
      if (!more) return;
      assert.deepEqual(this.#rowAt(name, scan), expected[i]);
    }
  }

  #last(operation: Operation): void {
    const { table: name, pane } = operation;
    const { from, to, expected } = this.#range(operation);
    const last = this.state.table(name).last(pane, from, to);
    assert.deepEqual(last && this.#rowAt(name, last), expected.at(-1), `${name} ${pane} last`);
  }

  /** The rows between two keys, as they should be. */
  #range({ table, pane, key, to }: Operation): { from?: Buffer; to?: Buffer; expected: readonly KeyedRow[] } {
    const expected = [...this.#truths.get(table)!]
      .filter(([at]) => at.startsWith(`${pane}/`))
      .map(([at, text]) => ({ key: at.slice(at.indexOf('/') + 1), text }))
      .filter((row) => row.key >= key.toString('hex') && (to.length === 0 || row.key < to.toString('hex')))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { ...(key.length > 0 && { from: key }), ...(to.length > 0 && { to }), expected };
  }

  #rowAt(table: string, scan: Scan): KeyedRow {
    const text =
      this.state.table(table).kind === 'cells'
        ? `${scan.timestamp}:${scan.cells[scan.base]},${scan.cells[scan.base + 1]}`
        : `${scan.timestamp}:${scan.bytes.subarray(scan.start, scan.end).toString('hex')}`;
    return { key: scan.key.toString('hex', scan.keyStart, scan.keyEnd), text };
  }
}

interface KeyedRow {
  /** In hex, whose order is that of the bytes. */
  readonly key: string;
  readonly text: string;
}

function rowText(table: ReturnType<TaskState['table']>): string {
  return table.kind === 'cells'
    ? `${table.cells[table.base - 1]}:${table.cells[table.base]},${table.cells[table.base + 1]}`
    : `${table.timestamp}:${table.bytes.subarray(table.start, table.end).toString('hex')}`;
}
