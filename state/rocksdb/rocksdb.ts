import type { Bytes } from '../../core/bytes.ts';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import type { Disk, DiskBatch, DiskRows } from '../disk.ts';
import { behind, panePrefix, readPane, TABLE_ID_BYTES } from '../disk-key.ts';
import type { Database, WriteBatch } from './library.ts';
import { type Meta, positionKey, REFRESHED_KEY } from './meta.ts';
import { markCorrupt } from './quarantine.ts';

export interface TableShape {
  readonly name: string;
  readonly windowed: boolean;
}

/** Rows of one read of a range that go through the binding at once. */
const RANGE_CAPACITY = 256;

/** One RocksDB database: one column family, tables by key prefix, so that one batch is one atomic write. */
export class RocksDisk implements Disk {
  readonly tableIds: ReadonlyMap<string, number>;
  readonly positions: ReadonlyMap<string, Position>;
  readonly refreshedAt: Millis | undefined;
  readonly panes: ReadonlyMap<string, readonly number[]>;
  readonly #database: Database;
  readonly #directory: string;
  readonly #underway = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(database: Database, directory: string, meta: Meta, panes: ReadonlyMap<string, readonly number[]>) {
    this.#database = database;
    this.#directory = directory;
    this.tableIds = meta.tableIds;
    this.positions = meta.positions;
    this.refreshedAt = meta.refreshedAt;
    this.panes = panes;
  }

  getMany(keys: readonly Bytes[]): Promise<readonly (Bytes | null)[]> {
    return keys.length === 0 ? Promise.resolve([]) : this.#run(() => this.#getMany(keys));
  }

  async #getMany(keys: readonly Bytes[]): Promise<readonly (Bytes | null)[]> {
    const batch = this.#database.read({ capacity: keys.length });
    try {
      const values = Promise.all(keys.map((key) => batch.get(key)));
      const [found] = await Promise.all([values, batch.flush()]);
      return found;
    } finally {
      batch.destroy();
    }
  }

  range(from: Bytes, to: Bytes, limit: number): Promise<DiskRows> {
    return this.#run(() => readRange(this.#database, from, to, limit));
  }

  write(fill: (batch: DiskBatch) => void): Promise<void> {
    return this.#run(async () => {
      const batch = this.#database.write({ capacity: 1024 });
      try {
        fill(new Filling(batch));
        await batch.flush();
      } finally {
        batch.destroy();
      }
    });
  }

  /** Waits until every batch under way is destroyed, then closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled([...this.#underway]);
    await this.#database.close();
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new FlowError('stopped', `state folder ${this.#directory} is closed`);
    const running = work();
    this.#underway.add(running);
    try {
      return await running;
    } catch (thrown) {
      throw failure(thrown, this.#directory);
    } finally {
      this.#underway.delete(running);
    }
  }
}

class Filling implements DiskBatch {
  readonly #batch: WriteBatch;

  constructor(batch: WriteBatch) {
    this.#batch = batch;
  }

  put(key: Bytes, value: Bytes): void {
    this.#batch.tryPut(key, value);
  }

  delete(key: Bytes): void {
    this.#batch.tryDelete(key);
  }

  deleteRange(from: Bytes, to: Bytes): void {
    this.#batch.tryDeleteRange(from, to);
  }

  position(table: string, position: Position | undefined): void {
    if (position === undefined) this.#batch.tryDelete(positionKey(table));
    else this.#batch.tryPut(positionKey(table), Buffer.from(String(position)));
  }

  refreshedAt(at: Millis): void {
    this.#batch.tryPut(REFRESHED_KEY, Buffer.from(String(at)));
  }
}

async function readRange(database: Database, from: Bytes, to: Bytes, limit: number): Promise<DiskRows> {
  const keys: Bytes[] = [];
  const values: Bytes[] = [];
  const capacity = Math.min(limit, RANGE_CAPACITY);
  for await (const { key, value } of database.iterator({ gte: from, lt: to }, { limit, capacity })) {
    keys.push(key);
    values.push(value);
    if (keys.length === limit) break;
  }
  return { keys, values };
}

/** Which panes have rows: one seek for each of them. */
export async function readPanes(
  database: Database,
  meta: Meta,
  tables: readonly TableShape[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const panes = new Map<string, readonly number[]>();
  for (const { name, windowed } of tables) {
    const id = meta.tableIds.get(name)!;
    const found: number[] = [];
    const first = panePrefix(id, false, 0);
    const end = behind(first);
    for (let from = first; ; ) {
      const { keys } = await readRange(database, from, end, 1);
      const key = keys[0];
      if (key === undefined) break;
      found.push(windowed ? readPane(key, TABLE_ID_BYTES) : 0);
      if (!windowed) break;
      from = behind(panePrefix(id, true, found[found.length - 1]!));
    }
    panes.set(name, found);
  }
  return panes;
}

function failure(thrown: unknown, directory: string): Error {
  const reason = reasonOf(thrown);
  if (/no space|ENOSPC|disk quota/i.test(reason)) {
    return new FlowError(
      'state.full',
      `state folder ${directory} cannot be written: free space on its disk (${reason})`,
      { cause: thrown },
    );
  }
  if (/corruption|checksum|bad block|truncated/i.test(reason)) {
    markCorrupt(directory, reason);
    return new FlowError(
      'state.corrupt',
      `state folder ${directory} is corrupt; it is set aside and rebuilt when the task opens again (${reason})`,
      { cause: thrown },
    );
  }
  return thrown instanceof Error ? thrown : new Error(reason);
}

/** All messages of an error, its causes and its parts. */
export function reasonOf(thrown: unknown): string {
  const parts = [messageOf(thrown)];
  if (thrown instanceof AggregateError) for (const each of thrown.errors) if (each) parts.push(messageOf(each));
  if (thrown instanceof Error && thrown.cause !== undefined) parts.push(reasonOf(thrown.cause));
  return [...new Set(parts)].join('; ');
}
