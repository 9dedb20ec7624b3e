import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../database/database.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { projectionSuite } from './projections.conformance.ts';
import { openProjections } from './projections.ts';

projectionSuite('PGlite', () => openDatabase({ directory: undefined }));

test('what was written is there when the folder is opened again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-projections-'));
  try {
    const directory = join(folder, 'db');
    const first = await openProjections(await openDatabase({ directory }));
    await first.write([], [7, 8]);
    await first.close();
    const second = await openProjections(await openDatabase({ directory }));
    assert.deepEqual(await second.cursor(), [7, 8]);
    await second.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a database whose tables are refused is closed', async () => {
  const database = await openDatabase({ directory: undefined });
  await migrate(database, [...MIGRATIONS, { name: 'of tomorrow', statements: [] }]);
  await assert.rejects(openProjections(database), { code: 'projections.migration' });
  await assert.rejects(database.query('select 1'));
});

test('a server that is not there is told by its address, without the password', async () => {
  await assert.rejects(
    openDatabase({ url: 'postgres://ann:secret@127.0.0.1:1/db' }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'database.unreachable');
      assert.match(error.message, /postgres:\/\/ann:\*\*\*@127\.0\.0\.1:1\/db/);
      assert.ok(!error.message.includes('secret'));
      return true;
    },
  );
});
