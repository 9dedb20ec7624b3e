import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
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
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const KEYED = { key: string(), partitions: 1 } as const;
const orders = topic('orders', { ...KEYED, value: json<number>() });
const prices = topic('prices', { ...KEYED, value: json<number>() });
const priced = topic('priced', { ...KEYED, value: json<number>() });

async function write(log: Log, name: string, rows: readonly (readonly [key: string, value: number, at: number])[]) {
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
