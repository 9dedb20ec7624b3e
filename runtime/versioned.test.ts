import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../core/clock.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { string } from '../schemas/schemas.ts';
import { type Program, sessionStore, topic, topology, versionedStore } from '../topology/topology.ts';
import { type Driven, type DriveOptions, drive, type InputRecord, type Inputs } from './driven.testing.ts';
import { TopologyDriver } from './testing.ts';

const TEXTS = { key: string(), value: string(), partitions: 2 } as const;
const events = topic('events', TEXTS);
const rows = topic('rows', TEXTS);
const out = (name: string) => topic(name, TEXTS);

/** Tables with history, joins with and without grace, and user stores that keep for a while. */
function keeping(): Program {
  const app = topology('keeping');
  const stream = app.stream(events);
  const table = app.table(rows, { store: 'rows', history: 6000 });
  const merge = (value: string, row: string | null) => `${value}=${row}`;
  stream.leftJoinTable(table, { merge, name: 'waits', grace: 25 }).to(out('waited'));
  const own = stream.filterNot((value) => value === null).toTable({ store: 'own', history: 40 });
  own.toStream().to(out('updates'));
  stream.leftJoinTable(own, { merge }).to(out('at-once'));
  const stores = [
    versionedStore('versions', { key: string(), value: string(), history: 30 }),
    sessionStore('sessions', { key: string(), value: string(), retention: 2500 }),
  ];
  stream
    .processValues<string>({ name: 'keep', stores, supplier: () => ({ process: keep }), value: string() })
    .to(out('kept'));
  return app.build();
}

function keep(value: string | null, key: string, context: ProcessContext<string, string>): void {
  const { timestamp } = context;
  const versions = context.versionedStore<string, string>('versions');
  const sessions = context.sessionStore<string, string>('sessions');
  const answer = versions.put(key, value, timestamp);
  const before = versions.getAsOf(key, Math.max(0, timestamp - 20));
  const near = [...sessions.find(key, timestamp - 15, timestamp + 15)];
  const start = Math.min(timestamp, ...near.map((each) => each.start));
  const end = Math.max(timestamp, ...near.map((each) => each.end));
  for (const each of near) sessions.delete(key, each.start, each.end);
  sessions.put(key, start, end, `${near.length}`);
  context.forward(key, `${answer} ${before?.value} ${before?.validTo} ${start}-${end} ${near.length}`);
}

/** Records out of order, some null values, and keys enough that few are hot. */
function recordsOf(seed: number, count: number, name: string): InputRecord[] {
  const random = seededRandom(seed);
  let time = 100;
  return Array.from({ length: count }, (_, n) => {
    time += randomInt(random, 6) === 0 ? randomInt(random, 900) : randomInt(random, 5);
    const key = `k${randomInt(random, 30)}`;
    const back = randomInt(random, 3) === 0 ? randomInt(random, 60) : 0;
    const value = randomInt(random, 12) === 0 ? null : Buffer.from(`${name}${n}`);
    return { partition: key.length % 2, key: Buffer.from(key), value, timestamp: Math.max(0, time - back) };
  });
}

async function driveAlone(program: Program, inputs: Inputs, way: DriveOptions): Promise<Driven> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  try {
    return await drive(log, program, inputs, way);
  } finally {
    await log.close();
  }
}

async function inFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-versioned-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('versions, sessions and records that wait come through cold reads, commits and crashes', async () => {
  const sum = { coldReads: 0, misses: 0, crashes: 0, commits: 0, late: 0 };
  const program = keeping();
  const ways = fc.record({
    seed: fc.nat(),
    stateBytes: fc.constantFrom(1, 30_000),
    crashEvery: fc.constantFrom(0, 25),
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(), ways, async (seed, way) => {
      const inputs = new Map([
        ['events', recordsOf(seed, 200, 'e')],
        ['rows', recordsOf(seed + 1, 150, 'r')],
      ]);
      const plain = await driveAlone(program, inputs, {});
      const driven = await inFolder((directory) => driveAlone(program, inputs, { ...way, directory }));
      assert.deepEqual(driven.outputs, plain.outputs);
      sum.coldReads += driven.coldReads;
      sum.misses += driven.misses;
      sum.crashes += driven.crashes;
      sum.commits += driven.commits;
      for (const [name, count] of Object.entries(plain.drops)) if (name.endsWith(' late')) sum.late += count;
    }),
    { numRuns: 8, seed: 914 },
  );
  assert.ok(sum.coldReads > 100 && sum.misses > 100 && sum.crashes > 5 && sum.late > 100, JSON.stringify(sum));
});

test('two operators that name one store see one store, and one time of it', async () => {
  const one = { ...TEXTS, partitions: 1 } as const;
  const [left, right, answers] = [topic('left', one), topic('right', one), topic('answers', one)];
  const app = topology('shared');
  const places = versionedStore('places', { key: string(), value: string(), history: 10 });
  const supplier = () => ({
    process(value: string, key: string, context: ProcessContext<string, string>) {
      const store = context.versionedStore<string, string>('places');
      const before = store.getAsOf(key, context.timestamp)?.value;
      context.forward(key, `${before} ${store.put(key, value, context.timestamp)}`);
    },
  });
  for (const [name, source] of [['a', left] as const, ['b', right] as const]) {
    app
      .stream(source)
      .process<string>({ name, stores: [places], supplier, value: string() })
      .to(answers);
  }
  const driver = await TopologyDriver.open(app);
  driver.input(left).send('k', 'x', { timestamp: 20 });
  driver.input(right).send('k', 'y', { timestamp: 25 });
  driver.input(left).send('k', 'z', { timestamp: 22 });
  driver.input(right).send('other', 'w', { timestamp: 40 });
  driver.input(left).send('k', 'late', { timestamp: 29 });
  assert.deepEqual(
    driver
      .output(answers)
      .read()
      .map(({ value }) => value),
    ['undefined latest', 'x latest', 'x 25', 'undefined latest', 'y rejected'],
  );
  assert.deepEqual(driver.dropped(), { 'process:a late': 1 });
});

test('a wall-clock timer counts from its own first firing', async () => {
  const one = { ...TEXTS, partitions: 1 } as const;
  const app = topology('ticks');
  app
    .stream(topic('in', one))
    .process<string>({
      name: 'tick',
      supplier: () => ({
        init: (context) =>
          (context as ProcessContext<string, string>).schedule(10, 'wall', (at) => context.forward('P', `${at}`)),
        process: () => undefined,
      }),
      value: string(),
    })
    .to(topic('out', one));
  const driver = await TopologyDriver.open(app, { startMs: 7 });
  for (const ms of [9, 1, 2, 7, 1, 25, 5]) driver.advance(ms);
  const ticks = driver.output(topic('out', one)).read();
  assert.deepEqual(
    ticks.map(({ value }) => value),
    ['17', '27', '52', '57'],
  );
});
