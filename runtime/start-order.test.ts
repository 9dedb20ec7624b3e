import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Source } from '../connectors/connectors.ts';
import { systemClock } from '../core/clock.ts';
import type { Json } from '../core/ids.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { json, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { holdingBack } from './holding-back.fixture.ts';
import { readTopic } from './read-topic.ts';
import { DEFAULT_SETTINGS, type RunSettings, startRun } from './runtime.ts';

const KEYED = { key: string(), partitions: 1 } as const;
const orders = topic('orders', { ...KEYED, value: json<number>() });
const prices = topic('prices', { ...KEYED, value: json<number>() });
const priced = topic('priced', { ...KEYED, value: json<number>() });

async function write(log: Log, name: string, rows: readonly (readonly [key: string, value: Json, at: number])[]) {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  for (const [key, value, at] of rows) {
    const [k, v] = [Buffer.from(key), Buffer.from(JSON.stringify(value))];
    builder.append(at, k, 0, k.length, v, 0, v.length);
  }
  step.settle();
  const producer = await log.producer({});
  await producer.append(name, 0, builder.finish());
  await producer.close();
}

/** The same log, whose readers are answered about one topic later than about all others. */
function slowAbout(log: Log, slow: string, fetches: number): Log {
  const gate = () => {
    let left = fetches;
    return () => --left <= 0;
  };
  return holdingBack(log, { isHeld: ({ topic }) => topic === slow, gate });
}

test('a join waits for the rows that stand in its table when it starts, whichever broker answers first', async () => {
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  for (const { name } of [orders, prices]) await memory.admin.create(name, { partitions: 1 });
  await write(memory, 'prices', [
    ['a', 2, 0],
    ['b', 3, 0],
  ]);
  await write(memory, 'orders', [
    ['a', 10, 1000],
    ['b', 10, 1001],
    ['a', 11, 1002],
  ]);
  const shop = topology('shop');
  shop
    .stream(orders)
    .joinTable(shop.table(prices, { store: 'prices' }), { merge: (order, price) => order * price })
    .to(priced);
  const log = slowAbout(memory, 'prices', 20);
  const run = await startRun({
    program: shop.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, until: 'drained' },
  });
  while (run.progress().records < 5) await systemClock.turn();
  await run.drain();
  const values: number[] = [];
  await readTopic(memory, priced, (value) => void values.push(value!));
  assert.deepEqual(values, [20, 30, 22]);
  await memory.close();
});

interface Row {
  readonly key: string;
  readonly value: number;
  readonly at: number;
}

/** Rows that are handed over once `isReady` says so. */
function rowsWhen(rows: readonly Row[], isReady: () => boolean): Source<Row> {
  return {
    description: 'rows',
    bounded: true,
    splits: async () => [{ id: 'all', records: rows.length }],
    open: async (_split, from) => {
      let next = from;
      return {
        async next() {
          while (!isReady()) await systemClock.turn();
          if (next >= rows.length) return undefined;
          const at = next;
          next = rows.length;
          return { count: rows.length - at, at: (i) => rows[at + i]!, positionAfter: (i) => at + i + 1 };
        },
        close: async () => undefined,
      };
    },
  };
}

const written = { key: string(), value: json<Row>(), partitions: 1 } as const;
const [sold, listed] = [topic('sold', written), topic('listed', written)];
const sales = ['a', 'b', 'a'].map((key, i) => ({ key, value: 10 + i, at: 1000 + i }));
const list = ['a', 'b'].map((key, i) => ({ key, value: 2 + i, at: 0 }));
const read = { key: (row: Row) => row.key, keySerde: string(), value: json<Row>(), time: (row: Row) => row.at };

/** Sales joined with a list of prices that is handed over once `isReady` says so. */
function shopOf(isReady: () => boolean) {
  const shop = topology('shop');
  shop.read(rowsWhen(list, isReady), { name: 'list', ...read }).to(listed);
  shop
    .stream(sold)
    .joinTable(shop.table(listed, { store: 'listed' }), { merge: (sale, price) => sale.value * price.value })
    .to(priced);
  return shop;
}

async function results(log: Log): Promise<readonly number[]> {
  const values: number[] = [];
  await readTopic(log, priced, (value) => void values.push(value!));
  return values;
}

function start(log: Log, program: ReturnType<typeof topology>, settings: Partial<RunSettings> = {}) {
  return startRun({
    ...{ program: program.build(), log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, ...settings },
  });
}

async function nothingComes(log: Log): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await systemClock.turn();
  assert.equal((await log.admin.bounds('priced', 0)).end, 0);
}

test('in a bounded run a join waits for those who write its table, however late they are', async () => {
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  let isLate = true;
  const shop = shopOf(() => !isLate);
  shop
    .read(
      rowsWhen(sales, () => true),
      { name: 'sales', ...read },
    )
    .to(sold);
  const run = await start(memory, shop);
  // what was sold stands there, and the task that joins it has its turns
  while ((await memory.admin.bounds('sold', 0)).stable < 3) await systemClock.turn();
  await nothingComes(memory);
  isLate = false;
  assert.equal((await run.finished).how, 'complete');
  assert.deepEqual(await results(memory), [20, 33, 24]);
  await memory.close();
});

test('in a run that goes on it waits for connectors that fill the table, once, and for nobody else', async () => {
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await memory.admin.create('sold', { partitions: 1 });
  await write(
    memory,
    'sold',
    sales.map(({ key, value, at }) => [key, { key, value, at }, at] as const),
  );
  let isLate = true;
  const until = 'drained';
  const run = await start(
    memory,
    shopOf(() => !isLate),
    { until },
  );
  await nothingComes(memory);
  isLate = false;
  while ((await results(memory)).length < 3) await systemClock.turn();
  // whoever writes to the table besides is read all the same, and what is sold then
  await write(memory, 'listed', [['a', { key: 'a', value: 5, at: 2000 }, 2000]]);
  while (run.progress().records < 8) await systemClock.turn();
  await write(memory, 'sold', [['a', { key: 'a', value: 1, at: 3000 }, 3000]]);
  while ((await results(memory)).length < 4) await systemClock.turn();
  await run.drain();
  // the list is not read again
  const again = await start(
    memory,
    shopOf(() => false),
    { until },
  );
  await write(memory, 'sold', [['b', { key: 'b', value: 1, at: 4000 }, 4000]]);
  while ((await results(memory)).length < 5) await systemClock.turn();
  await again.drain();
  assert.deepEqual(await results(memory), [20, 33, 24, 5, 3]);
  await memory.close();
});
