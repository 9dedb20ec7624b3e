import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isFlowError } from '../../core/errors.ts';
import { parquetFile, type Split } from '../connectors.ts';
import { columnOf, rowView } from './parquet-columns.ts';

const flights = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));

interface Flight {
  date: number;
  delay: number;
  origin: string;
}
const columns = ['date', 'delay', 'origin'] as const;
const GROUP_ROWS = 272_727;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-'));
});
after(() => rm(folder, { recursive: true }));

async function firstRows(split: Split, from: number, count: number, groupsPerSplit?: number): Promise<Flight[]> {
  const source = parquetFile<Flight>(flights, groupsPerSplit === undefined ? { columns } : { columns, groupsPerSplit });
  const reader = await source.open(split, from);
  const rows: Flight[] = [];
  try {
    while (rows.length < count) {
      const batch = await reader.next(count - rows.length);
      if (batch === undefined) break;
      for (let i = 0; i < batch.count; i++) rows.push({ ...batch.at(i) });
      assert.equal(batch.positionAfter(batch.count - 1), from + rows.length);
    }
  } finally {
    await reader.close();
  }
  return rows;
}

test('rows come in order, as numbers and strings, from any position', async () => {
  const [split, ...more] = await parquetFile<Flight>(flights, { columns }).splits();
  assert.deepStrictEqual(more, []);
  assert.deepStrictEqual(split, { id: 'groups-0-11', records: 3_000_000 });
  const start = await firstRows(split!, 0, 3);
  assert.deepStrictEqual(start[0], { date: Date.UTC(2001, 0, 1, 0, 1), delay: 33, origin: 'LAS' });
  const border = await firstRows(split!, GROUP_ROWS - 2, 4);
  assert.equal(border.length, 4);
  assert.deepStrictEqual(await firstRows(split!, GROUP_ROWS - 1, 1), [border[1]]);
  assert.deepStrictEqual(await firstRows(split!, 3_000_000, 1), []);
});

test('splits of row groups hold what the whole does, positions from 0', async () => {
  const splits = await parquetFile<Flight>(flights, { columns, groupsPerSplit: 4 }).splits();
  assert.deepStrictEqual(
    splits.map((split) => split.id),
    ['groups-0-4', 'groups-4-8', 'groups-8-11'],
  );
  assert.equal(
    splits.reduce((sum, split) => sum + split.records!, 0),
    3_000_000,
  );
  const second = await firstRows(splits[1]!, 5, 2, 4);
  assert.deepStrictEqual(second, await firstRows({ id: 'groups-0-11' }, 4 * GROUP_ROWS + 5, 2));
});

test('a broken file is named, with a cure', async () => {
  const bytes = await readFile(flights);
  const broken =
    (...parts: string[]) =>
    (thrown: Error) =>
      isFlowError(thrown, 'file.broken') &&
      parts.every((part) => thrown.message.includes(part)) &&
      thrown.message.length < 600;
  const path = join(folder, 'broken.parquet');
  const read = async (options = {}) => {
    const source = parquetFile<Flight>(path, { columns, ...options });
    const [split] = await source.splits();
    const reader = await source.open(split!, 0);
    try {
      await reader.next(1);
    } finally {
      await reader.close();
    }
  };
  await writeFile(path, bytes.subarray(0, bytes.length / 2));
  await assert.rejects(read(), broken(path, 'fetch the file again'));
  await writeFile(path, '');
  await assert.rejects(read(), broken(path));
  const scrambled = Buffer.from(bytes);
  scrambled.fill(0xa5, 1000, 600_000);
  await writeFile(path, scrambled);
  await assert.rejects(read(), broken(path, 'row group 0', 'fetch the file again'));
  const footer = Buffer.from(bytes);
  footer.fill(0xff, bytes.length - 600, bytes.length - 8);
  await writeFile(path, footer);
  await assert.rejects(read(), broken(path));
  await writeFile(path, bytes);
  await assert.rejects(read({ columns: ['nothing'] }), broken('no column nothing', 'origin'));
  await assert.rejects(parquetFile(join(folder, 'none.parquet')).splits(), (thrown: Error) =>
    isFlowError(thrown, 'file.missing'),
  );
});

test('columns join pieces, keep nulls, and turn 64-bit numbers into numbers', () => {
  assert.deepStrictEqual(
    columnOf(
      [
        { at: 2, data: [3n] },
        { at: 0, data: [1, 2n] },
      ],
      3,
      'x',
    ),
    Float64Array.of(1, 2, 3),
  );
  assert.deepStrictEqual(columnOf([{ at: 0, data: [1n, null, 'a'] }], 3, 'x'), [1, null, 'a']);
  const broken = (thrown: Error) => isFlowError(thrown, 'file.broken');
  assert.throws(() => columnOf([{ at: 0, data: [2n ** 53n] }], 1, 'x'), broken);
  assert.throws(() => columnOf([{ at: 0, data: [1] }], 2, 'x'), broken);
  const move = rowView<{ a: number; b: string }>(['a', 'b']);
  const row = move([Float64Array.of(1, 2), ['x', 'y']], 1);
  assert.deepStrictEqual({ ...row }, { a: 2, b: 'y' });
  assert.equal(move([Float64Array.of(1), ['z']], 0), row);
  const withNull = move([[1, null], Float64Array.of(7, 8)] as never, 1);
  assert.deepStrictEqual({ ...withNull }, { a: null, b: 8 });
  assert.deepStrictEqual({ ...move([Float64Array.of(5), ['w']], 0) }, { a: 5, b: 'w' });
});
