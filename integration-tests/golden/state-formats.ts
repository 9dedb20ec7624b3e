import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptNumbers, PROGRESS } from '../../checkpoints/checkpoints.ts';
import { VirtualClock } from '../../core/clock.ts';
import type { Json, TaskId } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { testProgram } from '../../operators/testing/everything.ts';
import { type Datum, TestTask } from '../../operators/testing/test-task.ts';
import { IMAGE_VERSION } from '../../state/image.ts';
import { loadLibrary } from '../../state/rocksdb/library.ts';
import { FORMAT } from '../../state/rocksdb/meta.ts';
import { createStateBackend, type TableSpec, type TaskState } from '../../state/state.ts';
import { STORE_FORMS } from '../../topology/plan.ts';
import { base64, type Format, plain } from './format.ts';
import { EVENTS, goldenProgram, RATES } from './program.ts';

type Row = readonly [table: string, key: string, value: string | null];

const backend = createStateBackend({ onUnavailable: assert.fail });

function open(tables: readonly TableSpec[], step: Step, directory?: string): Promise<TaskState> {
  return backend.open({
    ...{ task: 'golden_0' as TaskId, directory, step, clock: new VirtualClock(1000) },
    ...{ budget: { maxBytes: 1 << 26, usedBytes: 0 }, tables, onQuarantine: assert.fail },
  });
}

function rowsOf(state: TaskState): Json {
  const rows: Row[] = [];
  state.cut().forEach((table, _, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
    rows.push([table, base64(bytes, keyStart, keyEnd), valueStart < 0 ? null : base64(bytes, valueStart, valueEnd)]);
  });
  return plain(rows.toSorted(([a, b], [c, d]) => (a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1)));
}

function apply(state: TaskState, written: Json): void {
  for (const [table, key64, value64] of written as unknown as readonly Row[]) {
    const [key, value] = [Buffer.from(key64, 'base64'), Buffer.from(value64 ?? '', 'base64')];
    state.apply(table, key, 0, key.length, value, value64 === null ? -1 : 0, value.length);
  }
}

const program = testProgram(goldenProgram());
const STORES: readonly TableSpec[] = program.stores.map(({ name, kind, value }) => ({
  name,
  windowed: STORE_FORMS[kind].paned,
  cells: STORE_FORMS[kind].raw ? undefined : program.serde(value).cells,
  ordered: STORE_FORMS[kind].ordered,
}));

/** One after the other, as rows have a task stand between them. */
function feed(state: TaskState, step: Step, data: readonly Datum[]): TestTask {
  const task = new TestTask(program, { step, table: ({ name }) => state.table(name) });
  task.feed(...data);
  return task;
}

const event = (key: string, value: number, timestamp: number): Datum => ({ topic: EVENTS.name, key, value, timestamp });
const rate = (key: string, sum: number, timestamp: number): Datum => {
  return { topic: RATES.name, key, value: { count: sum, sum: sum / 2, odd: sum % 2 === 1 }, timestamp };
};

/** Records, the rows that they leave in changelogs, and what a task with these rows makes of the next ones. */
const stores: Format = {
  name: 'stores',
  version: IMAGE_VERSION,
  async sample() {
    const first = [rate('a', 3, 10), event('a', 1, 11), event('b', 7, 12), event('é', 7, 13), event('a', 4, 14)];
    const next = [rate('é', 4, 15), event('a', 7, 16), event('b', 1, 40), event('b', 5, 41)];
    return this.read(await this.write(plain({ first, next })));
  },
  async write(value) {
    const { first, next } = value as unknown as { readonly first: readonly Datum[]; readonly next: readonly Datum[] };
    const step = new Step();
    const state = await open(STORES, step);
    feed(state, step, first);
    return plain({ first, next, rows: rowsOf(state) });
  },
  async read(written) {
    const { first, next, rows } = written as unknown as { first: Json; next: readonly Datum[]; rows: Json };
    const step = new Step();
    const state = await open(STORES, step);
    apply(state, rows);
    for (const { name } of STORES) state.restored(name, 1);
    const task = feed(state, step, next);
    return plain({ first, next, written: task.written.items });
  },
};

/** Numbers of a task by name: clocks, cursors, timers, counts. */
const progress: Format = {
  name: 'progress',
  version: IMAGE_VERSION,
  sample: async () => ({ 'stream-time': 1_764_000_000_000, 'aggregate:a/closed': -1, 'a/counted/from/b': 0.5 }),
  async write(value) {
    const step = new Step();
    const state = await open([{ name: PROGRESS, windowed: false, ordered: false }], step);
    const numbers = await KeptNumbers.load(state, step);
    step.begin();
    for (const [name, number] of Object.entries(value as { readonly [name: string]: number })) {
      numbers.number(name, Number.NaN).set(number);
    }
    step.settle();
    numbers.save();
    return rowsOf(state);
  },
  async read(written) {
    const step = new Step();
    const state = await open([{ name: PROGRESS, windowed: false, ordered: false }], step);
    apply(state, written);
    state.restored(PROGRESS, 1);
    const numbers = await KeptNumbers.load(state, step);
    return Object.fromEntries([...numbers.restored()].map((name) => [name, numbers.value(name)!]));
  },
};

interface Folder {
  readonly positions: { readonly [table: string]: number };
  readonly numbers: Json;
}

/** The rows of a task's folder: those of its tables, and what says which format, tables and positions they are of. */
const folder: Format = {
  name: 'folder',
  version: FORMAT,
  sample: async () => ({ positions: { [PROGRESS]: 17 }, numbers: { 'stream-time': 12, flush: -1 } }),
  write: (value) =>
    inFolder(async (directory) => {
      const { positions, numbers } = value as unknown as Folder;
      const step = new Step();
      const state = await open([{ name: PROGRESS, windowed: false, ordered: false }], step, directory);
      apply(state, await progress.write(numbers));
      state.restored(PROGRESS, positions[PROGRESS]!);
      await state.writeBack();
      await state.close();
      const rows: (readonly [string, string])[] = [];
      const database = await databaseOf(directory);
      for await (const { key, value: row } of database.iterator({}, {})) {
        const isTime = key.toString().endsWith('refreshed-at');
        if (!isTime) rows.push([base64(key), base64(row)]);
      }
      await database.close();
      return plain(rows);
    }),
  read: (written) =>
    inFolder(async (directory) => {
      const database = await databaseOf(directory);
      const batch = database.write();
      for (const [key, row] of written as unknown as readonly (readonly [string, string])[]) {
        batch.tryPut(Buffer.from(key, 'base64'), Buffer.from(row, 'base64'));
      }
      await batch.flush();
      batch.destroy();
      await database.close();
      const step = new Step();
      const state = await open([{ name: PROGRESS, windowed: false, ordered: false }], step, directory);
      const numbers = await KeptNumbers.load(state, step);
      const read = Object.fromEntries([...numbers.restored()].map((name) => [name, numbers.value(name)!]));
      const position = state.position(PROGRESS)!;
      await state.close();
      return plain({ positions: { [PROGRESS]: position }, numbers: read });
    }),
};

async function databaseOf(directory: string) {
  const library = loadLibrary();
  if (typeof library === 'string') throw new Error(library);
  const database = library.open(directory);
  await database.ready();
  return database;
}

async function inFolder<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-golden-'));
  try {
    return await use(join(directory, 'store'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export const STATE_FORMATS: readonly Format[] = [stores, progress, folder];
