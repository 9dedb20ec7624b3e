import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { type ErrorCode, isFlowError } from '../core/errors.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import type { Log } from '../log/log.ts';
import { partitionForKey } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { int64, string, type Windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { session, sessionStore, sliding, topic, topology, tumbling, windowStore } from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import { eachRecord } from './each-record.ts';
import { readStores } from './read-store.ts';
import { DEFAULT_SETTINGS, type Run, type RunSettings, startRun } from './runtime.ts';
import { PlanIndex } from './stage.ts';

const TIMEOUT = { timeout: 240_000 };
const PARTITIONS = 3;
const events = topic('events', { key: string(), value: int64(), partitions: PARTITIONS });
const rows = topic('rows', { key: string(), value: int64(), partitions: PARTITIONS });
const out = topic('out', { key: string(), value: int64(), partitions: PARTITIONS });
const visits = sessionStore('visits', { key: string(), value: int64(), retention: { seconds: 100 } });
const minutes = windowStore('minutes', { key: string(), value: int64(), retention: { seconds: 100 } });
const live = { read: 'live' } as const;
const committed = { read: 'committed' } as const;

function shop() {
  const app = topology('shop');
  const stream = app.stream(events);
  stream.groupByKey().count({ store: 'counts' }).toStream().to(out);
  stream
    .groupByKey()
    .window(tumbling(1000, { grace: 50_000 }))
    .count({ store: 'windows' });
  stream
    .groupByKey()
    .window(session({ gap: 1000, grace: 50_000 }))
    .count({ store: 'spans' });
  stream
    .groupByKey()
    .window(sliding({ difference: 2000, grace: 50_000 }))
    .count({ store: 'slides' });
  const supplier = () => ({
    process(n: number, key: string, context: ProcessContext<string, number>) {
      context.sessionStore<string, number>('visits').put(key, context.timestamp - n, context.timestamp, n);
      context.windowStore<string, number>('minutes').put(key, context.timestamp, n);
    },
  });
  stream.processValues({ name: 'visit', stores: [visits, minutes], supplier, value: int64() });
  app.table(rows, { store: 'prices', history: { seconds: 100 } });
  return app;
}

type Row = readonly [key: string, value: number | null, at: number];

const send = (log: Log, to: typeof events, ...sent: readonly Row[]) => appendRecords(log, to, sent);

interface Bench {
  readonly log: Log;
  readonly run: Run;
  /** A figure of the stores, added up. */
  sum(name: 'cold_reads' | 'evictions'): number;
}

async function within(
  { directory, settings }: { directory?: string; settings?: Partial<RunSettings> },
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create('events', { partitions: PARTITIONS });
  await log.admin.create('rows', { partitions: PARTITIONS });
  const telemetry = silentTelemetry();
  const run = await startRun({
    ...{ program: shop().build(), log, state: createStateBackend({}), directory, clock: systemClock },
    ...{ telemetry, settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5, ...settings } },
  });
  while (!run.health().ready) await systemClock.turn();
  const sum = (figure: string) =>
    telemetry
      .snapshot()
      .filter(({ name }) => name === `nodeflow_store_${figure}_total`)
      .reduce((all, { values }) => all + values[0]!, 0);
  try {
    await work({ log, run, sum });
  } finally {
    await run.drain();
    await log.close();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(2);
}

const fails = (asked: Promise<unknown>, code: ErrorCode, words: RegExp) =>
  assert.rejects(asked, (thrown) => {
    assert.ok(isFlowError(thrown, code), String(thrown));
    assert.match(thrown.message, words);
    return true;
  });

for (const read of [live, committed]) {
  test(`each kind of store answers by point, range, window, session and moment, ${read.read}`, TIMEOUT, async () => {
    await within({}, async ({ log, run }) => {
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const [n, key] of keys.entries()) await send(log, events, [key, n, 1000], [key, n + 10, 2500]);
      await send(log, rows, ['a', 7, 1000], ['a', 8, 3000]);
      const counts = run.query.store<string, number>('counts');
      await until(async () => {
        const found = await counts.range(undefined, undefined, { ...read, limit: 9 });
        return found.length === 6 && found.every(([, n]) => n === 2);
      });
      assert.equal(await counts.get('c', read), 2);
      assert.equal(await counts.get('none', read), undefined);
      assert.deepEqual(await counts.range('b', 'd', { ...read, limit: 9 }), [
        ['b', 2],
        ['c', 2],
        ['d', 2],
      ]);
      const paged: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await counts.range(undefined, undefined, {
          ...read,
          limit: 4,
          ...(after === undefined ? {} : { after }),
        });
        if (page.length === 0) break;
        paged.push(...page.map(([key]) => key));
        after = paged.at(-1);
      }
      assert.deepEqual(paged, keys);

      const windows = run.query.store<string, number>('windows');
      assert.deepEqual(await windows.window('a', 0, 9000, read), [
        { start: 1000, value: 1 },
        { start: 2000, value: 1 },
      ]);
      assert.deepEqual(await windows.window('a', 1001, 9000, read), [{ start: 2000, value: 1 }]);
      assert.deepEqual(await windows.range('c', undefined, { ...read, window: 2000, limit: 2 }), [
        ['c', 1],
        ['d', 1],
      ]);
      const kept = run.query.store<string, number>('minutes');
      assert.deepEqual(await kept.window('b', 0, 9000, { ...read, limit: 1 }), [{ start: 1000, value: 1 }]);

      const sessions = run.query.store<string, number>('visits');
      assert.deepEqual(await sessions.session('f', 0, 9000, read), [
        { start: 995, end: 1000, value: 5 },
        { start: 2485, end: 2500, value: 15 },
      ]);
      assert.deepEqual(await sessions.session('f', 1001, 9000, read), [{ start: 2485, end: 2500, value: 15 }]);

      const spans = run.query.store<Windowed<string>, number>('spans');
      assert.deepEqual(await spans.session('a', 0, 9000, read), [
        { start: 1000, end: 1000, value: 1 },
        { start: 2500, end: 2500, value: 1 },
      ]);
      assert.deepEqual(await spans.session('a', 0, 2499, read), [{ start: 1000, end: 1000, value: 1 }]);
      assert.equal(await spans.get({ key: 'a', start: 2500, end: 2500 }, read), 1);
      const slides = run.query.store<Windowed<string>, number>('slides');
      const slid = await slides.window('a', 0, 9000, read);
      assert.deepEqual(slid.at(-1), { start: 1001, value: 1 });
      assert.deepEqual(
        await slides.window('a', 501, 1000, read),
        slid.filter(({ start }) => start >= 501 && start <= 1000),
      );

      const prices = run.query.store<string, number>('prices');
      await until(async () => (await prices.get('a', read)) === 8);
      assert.deepEqual(await prices.asOf('a', 2999, read), { value: 7, validFrom: 1000, validTo: 3000 });
      assert.deepEqual(await prices.asOf('a', 3000, read), { value: 8, validFrom: 3000, validTo: null });
      assert.equal(await prices.asOf('a', 999, read), undefined);
    });
  });
}

test(
  'a committed read sees what committed epochs hold, a live one the rows of the epoch at hand',
  TIMEOUT,
  async () => {
    await within({ settings: { commitIntervalMs: 1_000_000 } }, async ({ log, run }) => {
      await send(log, events, ['a', 1, 1000]);
      const counts = run.query.store<string, number>('counts');
      await until(async () => (await counts.get('a', live)) === 1);
      const bounds = async () => {
        let sum = 0;
        for (let p = 0; p < PARTITIONS; p++) sum += (await log.admin.bounds('nf.shop.counts.changelog', p)).stable;
        return sum;
      };
      assert.equal(await bounds(), 0, 'nothing is committed yet');
      assert.equal(await counts.get('a', committed), 1);
      assert.equal((await counts.range(undefined, undefined, { ...committed, limit: 9 })).length, 1);
      const first = await bounds();
      assert.notEqual(first, 0, 'what was answered is in the log');

      await send(log, events, ['a', 1, 1001], ['b', 1, 1002]);
      await until(async () => (await counts.get('a', live)) === 2 && (await counts.get('b', live)) === 1);
      assert.equal(await counts.get('a', committed), 1);
      assert.equal(await counts.get('b', committed), undefined);
      assert.deepEqual(await counts.range(undefined, undefined, { ...committed, limit: 9 }), [['a', 1]]);
      const windows = run.query.store<string, number>('windows');
      assert.deepEqual(await windows.window('a', 0, 9000, committed), [{ start: 1000, value: 1 }]);
      assert.deepEqual(await windows.window('a', 0, 9000, live), [{ start: 1000, value: 2 }]);
      assert.equal(await bounds(), first, 'nothing was committed for it');
    });
  },
);

test('what is answered as committed is never taken back, whatever the epoch comes to', TIMEOUT, async () => {
  await within({ settings: { commitIntervalMs: 3 } }, async ({ log, run }) => {
    const counts = run.query.store<string, number>('counts');
    let last = 0;
    for (let n = 1; n <= 60; n++) {
      await send(log, events, ['a', 1, n]);
      const found = (await counts.get('a', committed)) ?? 0;
      assert.ok(found >= last && found <= n, `${found} behind ${last}`);
      const changelog = await newest(log, 'a');
      assert.ok(changelog >= found, `the log has ${changelog}, ${found} was answered`);
      last = found;
    }
  });
});

/** The newest committed count of a key by the changelog. */
async function newest(log: Log, key: string): Promise<number> {
  let count = 0;
  const bytes = Buffer.from(key);
  await eachRecord(log, 'nf.shop.counts.changelog', partitionForKey(bytes, 0, bytes.length, PARTITIONS), (view, i) => {
    count = Number(view.bytes.readBigInt64BE(view.valueEnds[i]! - 8));
  });
  return count;
}

test('rows that are not in memory are fetched, while records go on', TIMEOUT, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-query-'));
  await within({ directory, settings: { stateBytes: 60_000, writeBackMs: 10 } }, async ({ log, run, sum }) => {
    const keys = Array.from({ length: 3000 }, (_, n) => `key-${String(n).padStart(5, '0')}`);
    for (let from = 0; from < keys.length; from += 500) {
      await send(log, events, ...keys.slice(from, from + 500).map((key, n) => [key, n, 1000 + n] as const));
    }
    const counts = run.query.store<string, number>('counts');
    await until(async () => run.progress().lag === 0 && (await counts.get(keys.at(-1)!, live)) === 1);
    await until(async () => sum('evictions') > 3000);
    for (let n = 0; n < keys.length; n += 97)
      assert.equal(await counts.get(keys[n]!, n % 2 === 0 ? live : committed), 1);
    const page = await counts.range(keys[100], keys[2000], { ...committed, limit: 1500 });
    assert.deepEqual(
      page.map(([key]) => key),
      keys.slice(100, 1600),
    );
    const more = send(log, events, ...keys.slice(0, 300).map((key) => [key, 1, 5000] as const));
    const found = await counts.range(undefined, undefined, { ...live, limit: 3000 });
    assert.equal(found.length, 3000);
    await more;
    assert.ok(sum('cold_reads') > 20, `${sum('cold_reads')} cold reads`);
  });
  rmSync(directory, { recursive: true });
});

test('questions at random are answered as a model answers them, whatever is in memory', TIMEOUT, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-query-'));
  const random = seededRandom(11);
  await within({ directory, settings: { stateBytes: 60_000, writeBackMs: 10 } }, async ({ log, run, sum }) => {
    const counts = run.query.store<string, number>('counts');
    const windows = run.query.store<string, number>('windows');
    const model = new Map<string, number>();
    const byWindow = new Map<string, number>();
    for (let round = 0; round < 8; round++) {
      const evicted = sum('evictions');
      const sent: Row[] = Array.from({ length: 150 }, () => [
        `k${randomInt(random, 400)}`,
        1,
        randomInt(random, 20_000),
      ]);
      for (const [key, , at] of sent) {
        model.set(key, (model.get(key) ?? 0) + 1);
        const window = `${key} ${at - (at % 1000)}`;
        byWindow.set(window, (byWindow.get(window) ?? 0) + 1);
      }
      await send(log, events, ...sent);
      const total = [...model.values()].reduce((whole, n) => whole + n, 0);
      const all = async () => counts.range(undefined, undefined, { ...committed, limit: 1000 });
      await until(async () => (await all()).reduce((whole, [, n]) => whole + n, 0) === total);
      await until(async () => sum('evictions') > evicted + 100);
      const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
      for (let n = 0; n < 30; n++) {
        const read = random.next() < 0.5 ? live : committed;
        const [from, to] = [`k${randomInt(random, 400)}`, `k${randomInt(random, 400)}`];
        const limit = 1 + randomInt(random, 50);
        const expected = sorted.filter(([key]) => key >= from && key <= to).slice(0, limit);
        assert.deepEqual(await counts.range(from, to, { ...read, limit }), expected);
        assert.equal(await counts.get(from, read), model.get(from));
        const first = randomInt(random, 20) * 1000;
        const rows = [...Array(20).keys()].map((i) => i * 1000).filter((start) => start >= first);
        const values = rows.flatMap((start) => ({ start, value: byWindow.get(`${to} ${start}`) ?? 0 }));
        assert.deepEqual(
          await windows.window(to, first, 20_000, read),
          values.filter(({ value }) => value > 0),
        );
      }
    }
    assert.ok(sum('cold_reads') > 20, `${sum('cold_reads')} cold reads`);
  });
  rmSync(directory, { recursive: true });
});

test('a task that does not run yet is being restored', async () => {
  const request = { store: 'counts', tasks: ['source.events_1'], ...live } as const;
  const parts = {
    program: shop().build(),
    index: new PlanIndex(shop().build().plan),
    step: new Step(),
    globals: { tables: new Map(), step: new Step() },
  };
  const question = { kind: 'get', key: Buffer.from('a') } as const;
  await fails(
    readStores(parts, new Map(), { ...request, question }),
    'query.restoring',
    /task source\.events_1 is being/,
  );
});

test('wrong questions are refused in words', TIMEOUT, async () => {
  await within({}, async ({ run }) => {
    const store = (name: string) => run.query.store<string, number>(name);
    assert.throws(() => store('none'), /store none is not part of shop; it has counts, /);
    await fails(
      store('windows').get('a', live),
      'query.invalid',
      /store windows: it is a window store, .* ask by window and range/,
    );
    await fails(store('counts').window('a', 0, 1, live), 'query.invalid', /key-value store/);
    await fails(store('prices.history').get('a', live), 'query.invalid', /its rows are its operator’s alone/);
    await fails(store('counts').asOf('a', 1, live), 'query.invalid', /ask by get and range/);
    await fails(store('windows').range('a', 'b', { ...live, limit: 1 }), 'query.invalid', /give `window`/);
    await fails(
      store('counts').range('a', 'b', { ...live, window: 1, limit: 1 }),
      'query.invalid',
      /leave `window` out/,
    );
    for (const limit of [0, -1, 1.5, Number.NaN, undefined as never]) {
      await fails(store('counts').range('a', 'b', { ...live, limit }), 'query.invalid', /a limit is a whole number/);
    }
    await fails(store('counts').get('a', {} as never), 'query.invalid', /`live` or `committed`/);
    await fails(store('counts').get('a', { ...live, partition: 99 }), 'query.invalid', /there is no partition 99/);
  });
});

test(
  'a partition that the process does not hold is named, and who holds it, and so is the end of the run',
  TIMEOUT,
  async () => {
    await within({}, async ({ log, run }) => {
      const counts = run.query.store<string, number>('counts');
      const other = await startRun({
        ...{ program: shop().build(), log, state: createStateBackend({}), directory: undefined, clock: systemClock },
        ...{ telemetry: silentTelemetry(), settings: { ...DEFAULT_SETTINGS, instanceId: 'shop-2' } },
      });
      const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
      const answered = (asked: Run, key: string) =>
        asked.query
          .store('counts')
          .get(key, live)
          .then(
            () => 'here',
            (thrown) => (isFlowError(thrown, 'query.elsewhere') ? 'elsewhere' : String(thrown)),
          );
      await until(async () => {
        const both = await Promise.all(keys.map(async (key) => [await answered(run, key), await answered(other, key)]));
        return both.every((each) => each.includes('here') && each.includes('elsewhere'));
      });
      await fails(
        counts.range(undefined, undefined, { ...live, limit: 1 }),
        'query.elsewhere',
        /partition \d of store counts belongs to task source\.events_\d, which process shop-2 runs; ask that$/,
      );
      await other.drain();
      await fails(other.query.store('counts').get('a', live), 'query.elsewhere', /has ended here/);
    });
  },
);
