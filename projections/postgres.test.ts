import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { openDatabase } from '../database/database.ts';
import { testPostgres } from '../integration-tests/support/postgres.ts';
import { projectionSuite } from './projections.conformance.ts';
import { openProjections } from './projections.ts';

const postgres = await testPostgres();
if (postgres !== undefined) {
  after(() => postgres.close());
  projectionSuite('PostgreSQL', async () => openDatabase({ url: await postgres.database() }));

  test('processes that make the tables at one time wait for each other', async () => {
    const url = await postgres.database();
    const all = await Promise.all(Array.from({ length: 4 }, async () => openProjections(await openDatabase({ url }))));
    for (const each of all) await each.close();
  });

  test('a server that went away and came back is used again', async () => {
    const projections = await openProjections(await openDatabase({ url: await postgres.database() }));
    await postgres.kill();
    // processes that it had begun answer for a moment more
    const answers = () => projections.cursor().then(Boolean, () => false);
    while (await answers()) await systemClock.sleep(5);
    await postgres.start();
    assert.deepEqual(await projections.cursor(), []);
    await projections.close();
  });
}
