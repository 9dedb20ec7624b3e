import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { int64, string, type Windowed } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { STORE_FORMS } from '../topology/plan.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  hopping,
  keyValueStore,
  type Program,
  session,
  sessionStore,
  sliding,
  topic,
  topology,
  tumbling,
  unlimited,
  versionedStore,
  windowStore,
} from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import type { StoreQuery } from './query.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const KEYED = { key: string(), value: int64(), partitions: 3 } as const;
const STORED = { key: string(), value: int64() } as const;
const events = topic('events', KEYED);
const rows = topic('rows', KEYED);
const others = topic('others', KEYED);
const changes = topic('changes', KEYED);
const names = topic('names', { ...KEYED, partitions: 2 });
const everywhere = topic('everywhere', KEYED);
const plain = keyValueStore('plain', STORED);
const minutes = windowStore('minutes', { ...STORED, retention: { minutes: 1 } });
const visits = sessionStore('visits', { ...STORED, retention: { minutes: 1 } });
const versions = versionedStore('versions', { ...STORED, history: { minutes: 1 } });
const GRACE = { grace: { minutes: 1 } } as const;

/** Every operator that keeps a store, and every kind of store. */
function everyStore() {
  const app = topology('kinds');
  const stream = app.stream(events);
  const grouped = stream.groupByKey();
  grouped.count({ store: 'count' });
  grouped.sum({ store: 'sum', of: (value) => value });
  grouped
    .cogroup<number>((all, value) => all + value)
    .aggregate({ store: 'cogroup', value: int64(), initial: () => 0 });
  grouped.window(tumbling(1000, GRACE)).count({ store: 'tumbling' });
  grouped.window(hopping(1000, { advance: 500, ...GRACE })).count({ store: 'hopping' });
  grouped.window(cumulative({ step: 500, max: 1000, ...GRACE })).count({ store: 'cumulative' });
  grouped.window(calendar({ unit: 'day', timeZone: 'UTC', ...GRACE })).count({ store: 'calendar' });
  grouped.window(unlimited({ start: 0 })).count({ store: 'unlimited' });
  grouped.window(sliding({ difference: 1000, ...GRACE })).count({ store: 'sliding' });
  grouped.window(session({ gap: 100, ...GRACE })).count({ store: 'session' });
  grouped.window(counts({ size: 3 })).count({ store: 'counted' });
  const assign = (at: number) => [{ start: at - (at % 1000), end: at - (at % 1000) + 1000 }];
  grouped.window(custom({ name: 'seconds', assign, ...GRACE })).count({ store: 'custom' });
  stream.deduplicate({ store: 'seen', within: { minutes: 1 } });
  stream.difference({ store: 'previous', fn: (a, b) => a - b });
  stream.joinStream(app.stream(others), {
    name: 'pairs',
    within: { before: 10, after: 10 },
    merge: (a, b) => a + b,
  });
  stream.leftJoinStream(app.stream(others), { name: 'left', within: { before: 10, after: 10 }, merge: (a) => a });
  const table = app.table(rows, { store: 'table' });
  const kept = app.table(changes, { store: 'kept', history: { minutes: 1 } });
  stream.joinTable(kept, { name: 'waiting', grace: 10, merge: (a: number, b: number) => a + b });
  stream.toTable({ store: 'to-table' });
  table.filter((value) => value > 0, { store: 'filtered' });
  table.mapValues((value) => value * 2, { store: 'mapped', value: int64() });
  table.joinTable(kept, { store: 'joined', value: int64(), merge: (a, b) => a + b });
  const named = app.table(names, { store: 'named' });
  const foreign = { name: 'foreign', foreignKey: () => 'n', store: 'by-name', value: int64() };
  table.joinForeign(named, { ...foreign, merge: (a: number, b: number) => a + b });
  table.groupBy((value, key) => [key, value], { name: 'grouped', ...KEYED }).count({ store: 'grouped-count' });
  table.suppress({ untilTimeLimit: { minutes: 1 }, store: 'held' });
  const global = app.globalTable(everywhere, { store: 'everywhere' });
  stream.joinGlobal(global, { key: (_, key) => key, merge: (a, b) => a + b });
  stream.mapAsync({ name: 'called', concurrency: 1, fn: async (value: number) => value });
  const supplier = () => ({
    process(n: number, key: string, context: ProcessContext<string, number>) {
      context.store<string, number>('plain').put(key, n);
      context.windowStore<string, number>('minutes').put(key, context.timestamp, n);
      context.sessionStore<string, number>('visits').put(key, context.timestamp - 1, context.timestamp, n);
      context.versionedStore<string, number>('versions').put(key, n, context.timestamp);
    },
  });
  stream.processValues({ name: 'keep', stores: [plain, minutes, visits, versions], supplier, value: int64() });
  return app;
}

type Rows = StoreQuery<string, number>;
type Windows = StoreQuery<Windowed<string>, number>;
type Read = { readonly read: 'live' | 'committed' };

/** Of the records a at 1000 and 1600 and b at 1000, and rows of the same; by operator. */
const ofKeys = (a: number, b: number) => async (store: Rows, read: Read) => {
  assert.equal(await store.get('a', read), a);
  assert.equal(await store.get('c', read), undefined);
  const range = [
    ['a', a],
    ['b', b],
  ] as const;
  assert.deepEqual(await store.range(undefined, undefined, { ...read, limit: 9 }), range);
  assert.deepEqual(await store.range('a', 'b', { ...read, limit: 1 }), range.slice(0, 1));
  assert.deepEqual(await store.range('a', 'b', { ...read, limit: 9, after: 'a' }), range.slice(1));
};

const ofWindows =
  (...expected: readonly (readonly [start: number, value: number])[]) =>
  async (store: Rows, read: Read) => {
    const rows = expected.map(([start, value]) => ({ start, value }));
    assert.deepEqual(await store.window('a', 0, 1e15, read), rows);
    const [[first, value]] = expected as [readonly [number, number]];
    assert.deepEqual(await store.window('a', first, first, read), rows.slice(0, 1));
    assert.deepEqual(await store.window('a', first + 1, 1e15, { ...read, limit: 9 }), rows.slice(1));
    assert.deepEqual(await store.range('a', 'a', { ...read, window: first, limit: 9 }), [['a', value]]);
  };

/** Windows that differ in size. */
const ofEnds =
  (...expected: readonly (readonly [start: number, end: number, value: number])[]) =>
  async (store: Rows, read: Read) => {
    const rows = expected.map(([start, end, value]) => ({ start, end, value }));
    assert.deepEqual(await store.window('a', 0, 1e15, read), rows);
    const [{ start, end, value }] = rows as [(typeof rows)[0]];
    assert.deepEqual(await store.window('a', start, start, { ...read, limit: 1 }), rows.slice(0, 1));
    assert.deepEqual(await store.window('a', start + 1, 1e15, read), []);
    assert.deepEqual(await store.range('a', 'a', { ...read, window: end, limit: 9 }), [['a', value]]);
  };

const ofSpans =
  (...expected: readonly (readonly [start: number, end: number, value: number])[]) =>
  async (store: Windows, read: Read) => {
    const rows = expected.map(([start, end, value]) => ({ start, end, value }));
    assert.deepEqual(await store.session('a', 0, 1e15, read), rows);
    const [{ start, end, value }] = rows as [(typeof rows)[0]];
    assert.equal(await store.get({ key: 'a', start, end }, read), value);
  };

const ofVersions = async (store: Rows, read: Read) => {
  assert.equal(await store.get('a', read), 2);
  assert.deepEqual(await store.asOf('a', 1599, read), { value: 1, validFrom: 1000, validTo: 1600 });
  assert.deepEqual(await store.asOf('a', 1600, read), { value: 2, validFrom: 1600, validTo: null });
  assert.equal(await store.asOf('a', 999, read), undefined);
};

/** The rows are the operator's own. */
const refused = async (store: Rows, read: Read) => {
  for (const asked of [
    () => store.get('a', read),
    () => store.range('a', 'b', { ...read, limit: 1 }),
    () => store.window('a', 0, 1, read),
    () => store.session('a', 0, 1, read),
    () => store.asOf('a', 0, read),
  ]) {
    await assert.rejects(asked, (thrown) => isFlowError(thrown, 'query.invalid'));
  }
};

/** Those of windows of one size whose rows lie by key and start. */
const ofSlides = async (store: Windows, read: Read) => {
  assert.deepEqual(await store.window('a', 0, 1e15, read), [
    { start: 0, value: 1 },
    { start: 600, value: 2 },
    { start: 1001, value: 1 },
  ]);
  assert.equal(await store.get({ key: 'a', start: 600, end: 1600 }, read), 2);
};

const ANSWERS: { readonly [store: string]: (store: never, read: Read) => Promise<void> } = {
  count: ofKeys(2, 1),
  sum: ofKeys(3, 5),
  cogroup: ofKeys(3, 5),
  tumbling: ofWindows([1000, 2]),
  hopping: ofWindows([500, 1], [1000, 2], [1500, 1]),
  cumulative: ofEnds([1000, 1500, 1], [1000, 2000, 2]),
  calendar: ofEnds([0, 86_400_000, 2]),
  unlimited: ofWindows([0, 2]),
  sliding: ofSlides,
  session: ofSpans([1000, 1000, 1], [1600, 1600, 1]),
  counted: ofSpans([0, 3, 2]),
  custom: ofSpans([1000, 2000, 2]),
  'to-table': ofKeys(2, 5),
  table: ofKeys(2, 5),
  filtered: ofKeys(2, 5),
  mapped: ofKeys(4, 10),
  joined: ofKeys(4, 10),
  'by-name': ofKeys(102, 105),
  'grouped-count': ofKeys(1, 1),
  everywhere: ofKeys(2, 5),
  named: async (store: Rows, read) => assert.equal(await store.get('n', read), 100),
  previous: ofKeys(2, 5),
  held: async (store: StoreQuery<string, { value: number }>, read) => {
    assert.equal((await store.get('a', read))?.value, 2);
  },
  seen: ofWindows([0, 1000]),
  plain: ofKeys(2, 5),
  minutes: ofWindows([1000, 1], [1600, 2]),
  visits: async (store: Rows, read) => {
    assert.deepEqual(await store.session('a', 0, 1e15, read), [
      { start: 999, end: 1000, value: 1 },
      { start: 1599, end: 1600, value: 2 },
    ]);
    assert.deepEqual(await store.session('a', 1001, 1e15, read), [{ start: 1599, end: 1600, value: 2 }]);
  },
  kept: ofVersions,
  versions: ofVersions,
};

/** All that there is was taken and committed: of every topic that a stage reads, and of what comes of that by others. */
async function hasTakenAll(log: Log, { plan }: Program): Promise<boolean> {
  const read = [...new Set(plan.stages.flatMap(({ reads }) => reads))];
  // what a stage has written is there with its positions, so none has more to come than there are stages
  for (let stage = 0; stage < plan.stages.length; stage++) {
    for (const name of read) {
      const partitions = Array.from(
        { length: (await log.admin.describe(name))?.settings.partitions ?? 0 },
        (_, p) => p,
      );
      const taken = await log.committed(
        plan.name,
        partitions.map((partition) => ({ topic: name, partition })),
      );
      for (const partition of partitions) {
        const { stable } = await log.admin.bounds(name, partition);
        if ((taken[partition]?.position ?? 0) < stable) return false;
      }
    }
  }
  return true;
}

test('every store of every operator answers as docs/queries.md says, live and committed', {
  timeout: 240_000,
}, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const program = everyStore().build();
  const same = [
    ['a', 1, 1000],
    ['b', 5, 1000],
    ['a', 2, 1600],
  ] as const;
  for (const { name, partitions, internal } of program.plan.topics) {
    if (!internal) await log.admin.create(name, { partitions });
  }
  await appendRecords(log, names, [['n', 100, 1000]]);
  for (const each of [rows, changes, others, everywhere, events]) await appendRecords(log, each, same);
  const run = await startRun({
    ...{ program, log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    ...{ telemetry: silentTelemetry(), settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 } },
  });
  while (!(await hasTakenAll(log, program))) await systemClock.sleep(5);
  const failed: string[] = [];
  const kinds = new Set<string>();
  for (const { name, kind } of program.plan.stores) {
    kinds.add(kind);
    for (const read of ['live', 'committed'] as const) {
      const ask = ANSWERS[name] ?? refused;
      await ask(run.query.store(name) as never, { read }).catch((thrown: unknown) => {
        failed.push(`${name} (${kind}, ${read}): ${String(thrown)}`);
      });
    }
  }
  await run.drain();
  assert.deepEqual(failed, []);
  assert.deepEqual([...kinds].sort(), Object.keys(STORE_FORMS).sort(), 'there is a store of each kind');
  await assert.rejects(run.query.store('everywhere').get('a', { read: 'live' }), /the application has ended here/);
  await log.close();
});
