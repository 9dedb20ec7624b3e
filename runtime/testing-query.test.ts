import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { int64, string, type Windowed } from '../schemas/schemas.ts';
import {
  calendar,
  cumulative,
  session,
  sessionStore,
  topic,
  topology,
  tumbling,
  versionedStore,
} from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const numbers = topic('numbers', { key: string(), value: int64(), partitions: 3 });
const rates = topic('rates', { key: string(), value: int64(), partitions: 1 });
const GRACE = { grace: 100 } as const;
const STORED = { key: string(), value: int64() } as const;
const LIVE = { read: 'live' } as const;
const COMMITTED = { read: 'committed' } as const;

function app() {
  const made = topology('asked');
  const grouped = made.stream(numbers).groupByKey();
  grouped.count({ store: 'counts' });
  grouped.window(tumbling(10, GRACE)).count({ store: 'tens' });
  grouped.window(cumulative({ step: 10, max: 30, ...GRACE })).count({ store: 'growing' });
  grouped.window(calendar({ unit: 'day', timeZone: 'UTC', grace: { days: 1 } })).count({ store: 'days' });
  grouped.window(session({ gap: 5, ...GRACE })).count({ store: 'sessions' });
  made.stream(numbers).toTable({ store: 'versions', history: { minutes: 1 } });
  made.globalTable(rates, { store: 'rates' });
  const stores = [
    sessionStore('visits', { ...STORED, retention: { minutes: 1 } }),
    versionedStore('own', { ...STORED, history: { minutes: 1 } }),
  ];
  const supplier = () => ({
    process(n: number, key: string, context: ProcessContext<string, number>) {
      context.sessionStore<string, number>('visits').put(key, context.timestamp - 1, context.timestamp, n);
      context.versionedStore<string, number>('own').put(key, n, context.timestamp);
    },
  });
  made.stream(numbers).processValues({ name: 'keep', stores, supplier, value: int64() });
  return made;
}

test('each kind of store is asked in a test as in a run', async () => {
  const driver = await TopologyDriver.open(app());
  const send = (key: string, n: number, timestamp: number) => driver.input(numbers).send(key, n, { timestamp });
  driver.input(rates).send('eur', 5);
  send('a', 1, 15);
  send('b', 2, 16);
  send('a', 3, 22);
  for (const read of [LIVE, COMMITTED]) {
    const ask = <K = string>(store: string) => driver.query.store<K, number>(store);
    assert.equal(await ask('counts').get('a', read), 2);
    assert.deepEqual(await ask('counts').range(undefined, undefined, { ...read, limit: 9 }), [
      ['a', 2],
      ['b', 1],
    ]);
    assert.deepEqual(await ask('tens').window('a', 0, 99, read), [
      { start: 10, value: 1 },
      { start: 20, value: 1 },
    ]);
    assert.deepEqual(await ask('growing').window('a', 0, 99, read), [
      { start: 0, end: 20, value: 1 },
      { start: 0, end: 30, value: 2 },
    ]);
    assert.deepEqual(await ask<Windowed<string>>('sessions').session('a', 0, 99, read), [
      { start: 15, end: 15, value: 1 },
      { start: 22, end: 22, value: 1 },
    ]);
    assert.deepEqual(await ask('visits').session('a', 20, 99, read), [{ start: 21, end: 22, value: 3 }]);
    for (const store of ['versions', 'own']) {
      assert.deepEqual(await ask(store).asOf('a', 20, read), { value: 1, validFrom: 15, validTo: 22 });
    }
    assert.equal(await ask('rates').get('eur', read), 5);
    await assert.rejects(ask('counts').asOf('a', 1, read), (thrown) => isFlowError(thrown, 'query.invalid'));
  }
});

test('windows that lie by their end show their start, and are told apart by their end', async () => {
  const driver = await TopologyDriver.open(app());
  driver.input(numbers).send('a', 1, { timestamp: 15 });
  const growing = driver.table<string, number>('growing');
  assert.deepEqual(
    growing.rows().map(({ start, end, value }) => [start, end, value]),
    [
      [0, 20, 1],
      [0, 30, 1],
    ],
  );
  driver.input(numbers).send('a', 1, { timestamp: 25 });
  assert.deepEqual([growing.get('a', 0, 20), growing.get('a', 0, 30), growing.get('a', 20)], [1, 2, undefined]);
  assert.equal(driver.table('days').get('a', 0), 2);
  assert.throws(() => driver.table('visits'), /store visits is a session store; ask it by `query`/);
});

test('with commits on demand what is committed is told from what is live, also behind a crash', async () => {
  const driver = await TopologyDriver.open(app(), { commit: 'on demand' });
  const send = (key: string, timestamp: number) => driver.input(numbers).send(key, 1, { timestamp });
  const counts = driver.query.store<string, number>('counts');
  const both = async (key: string) => [await counts.get(key, LIVE), await counts.get(key, COMMITTED)];
  send('a', 1);
  assert.deepEqual(await both('a'), [1, undefined]);
  driver.commit();
  assert.deepEqual(await both('a'), [1, 1]);
  send('a', 2);
  send('b', 3);
  assert.deepEqual(
    [await both('a'), await both('b')],
    [
      [2, 1],
      [1, undefined],
    ],
  );
  await driver.crash();
  // what was not committed is done again
  assert.deepEqual(
    [await both('a'), await both('b')],
    [
      [2, 1],
      [1, undefined],
    ],
  );
  driver.commit();
  await driver.rebalance();
  assert.deepEqual(await both('a'), [2, 2]);
});
