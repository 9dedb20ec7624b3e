import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type Database, openDatabase } from '../../database/database.ts';
import { testPostgres } from '../../integration-tests/support/postgres.ts';
import { postgresTable, runExport } from '../export.ts';
import { orderLog, orders } from './orders.fixture.ts';

const columns = { id: 'key', total: 'value.total', whole: 'value', at: 'timestamp' };
const table = 'create table orders (id text primary key, total bigint, whole jsonb, at bigint)';

function exportSuite(name: string, open: () => Promise<Database>): void {
  test(`${name}: the newest value of each key is its row, and a tombstone takes it away`, async () => {
    const database = await open();
    await database.query(table);
    const { log, put } = await orderLog();
    await put(0, 1, 2, 1);
    await put(1, 3);
    const target = postgresTable({ database, table: 'orders', columns, keyColumns: ['id'] });
    const run = () => runExport({ log, clock: systemClock, topic: orders, target, until: 'end' });
    assert.deepEqual(await run(), { records: 4, how: 'complete' });
    await put(0, -2);
    assert.deepEqual(await run(), { records: 1, how: 'complete' }, 'it goes on where the table stands');
    assert.deepEqual(await database.query('select * from orders order by id'), [
      { id: 'k1', total: 10, whole: { id: 1, total: 10 }, at: 1001 },
      { id: 'k3', total: 30, whole: { id: 3, total: 30 }, at: 1003 },
    ]);
    await database.close();
  });

  test(`${name}: a batch whose commit was not answered is there once`, async () => {
    const database = await open();
    await database.query('create table log (id text, total bigint)');
    const { log, put } = await orderLog();
    for (let i = 0; i < 10; i++) await put(i % 2, 2 * i, 2 * i + 1);
    let commits = 0;
    const unsure: Database = {
      ...database,
      async transaction(work) {
        const result = await database.transaction(work);
        if (++commits % 2 === 1) throw new Error('connection lost');
        return result;
      },
    };
    const target = postgresTable({ database: unsure, table: 'log', columns: { id: 'key', total: 'value.total' } });
    await runExport({ log, clock: systemClock, topic: orders, target, until: 'end' });
    const rows = await database.query<{ total: number }>('select total from log order by total');
    assert.deepEqual(
      rows.map(({ total }) => total),
      Array.from({ length: 20 }, (_, i) => 10 * i),
    );
    await database.close();
  });

  test(`${name}: a row that the table refuses ends the export, with nothing of its batch there`, async () => {
    const database = await open();
    await database.query('create table strict (id text, total bigint check (total < 20))');
    const { log, put } = await orderLog();
    await put(0, 1, 2);
    const target = postgresTable({ database, table: 'strict', columns: { id: 'key', total: 'value.total' } });
    const run = runExport({ log, clock: systemClock, topic: orders, target, until: 'end' });
    await assert.rejects(run, { code: 'export.refused', message: /strict refuses a row \(23514\)/ });
    assert.deepEqual(await database.query('select * from strict'), []);
    await database.close();
  });
}

exportSuite('PGlite', () => openDatabase({ directory: undefined }));
const postgres = await testPostgres();
if (postgres !== undefined) {
  after(() => postgres.close());
  exportSuite('PostgreSQL', async () => openDatabase({ url: await postgres.database() }));
}

test('a database that it opened itself is closed where the export cannot begin', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-export-'));
  try {
    const before = await openDatabase({ directory });
    await before.query('create table nf_exports (of_another text)');
    await before.close();
    const target = postgresTable({ database: { directory }, table: 'orders', columns: { id: 'key' } });
    await assert.rejects(target.open({ name: 'orders', topic: 'orders', partitions: 1 }), /does not exist/);
    assert.ok(!existsSync(join(directory, 'postmaster.pid')));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('columns that are no places in a record, or key columns that are none, are refused', () => {
  const database = { directory: undefined };
  assert.throws(() => postgresTable({ database, table: 't', columns: { id: 'id' } }), {
    code: 'config.invalid',
    message: /no place in a record/,
  });
  assert.throws(() => postgresTable({ database, table: 't', columns: { id: 'key' }, keyColumns: ['no'] }), {
    code: 'config.invalid',
  });
});
