import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFlowError } from '../core/errors.ts';
import type { ProcessContext } from '../operators/operators.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { hopping, topic, topology } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';
import { OldestFirst } from './testing-order.ts';

const texts = { key: string(), value: string(), partitions: 2 } as const;
const words = topic('words', texts);
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });
const windows = topic('windows', { key: windowed(string(), 20), value: int64(), partitions: 2 });

/** Two stages, a table, windows with final results, timers. */
function app() {
  const made = topology('restarts');
  const grouped = made.stream(words).groupBy((word) => word, { name: 'by-word', key: string(), partitions: 2 });
  grouped.count({ store: 'counts' }).toStream().to(counts);
  const perWindow = grouped.window(hopping(20, { advance: 10, grace: 5 })).count({ store: 'windows' });
  perWindow.suppress().toStream().to(windows);
  return made;
}

interface Word {
  readonly word: string;
  readonly at: number;
  readonly after: 'nothing' | 'commit' | 'crash' | 'rebalance';
}

async function outputs(sent: readonly Word[], restarts: boolean): Promise<readonly string[]> {
  const driver = await TopologyDriver.open(app(), restarts ? { commit: 'on demand' } : {});
  const read: string[] = [];
  const take = () => {
    for (const { key, value, timestamp } of driver.output(counts).read()) read.push(`${key} ${value} ${timestamp}`);
    for (const { key, value } of driver.output(windows).read()) read.push(`${key.key}@${key.start} ${value}`);
  };
  for (const { word, at, after } of sent) {
    driver.input(words).send(word, word, { timestamp: at });
    if (!restarts) continue;
    if (after === 'commit') driver.commit();
    else if (after === 'crash') await driver.crash();
    else if (after === 'rebalance') await driver.rebalance();
    take();
  }
  await driver.end();
  driver.commit();
  take();
  return read.toSorted();
}

test('crashes, commits and rebalances between any two records change nothing that is read', async () => {
  const word = fc.record({
    word: fc.constantFrom('a', 'b', 'c'),
    at: fc.nat(100),
    after: fc.constantFrom('nothing', 'nothing', 'commit', 'crash', 'rebalance'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 30 }), async (sent) => {
      assert.deepEqual(await outputs(sent as readonly Word[], true), await outputs(sent as readonly Word[], false));
    }),
    { seed: 20261128, numRuns: 60 },
  );
});

test('only what is committed can be read, and a crash does the rest again', async () => {
  const driver = await TopologyDriver.open(app(), { commit: 'on demand' });
  const values = () =>
    driver
      .output(counts)
      .read()
      .map(({ value }) => value);
  driver.input(words).send('k', 'a', { timestamp: 1 });
  assert.deepEqual(values(), []);
  driver.commit();
  driver.input(words).send('k', 'a', { timestamp: 2 });
  await driver.crash();
  assert.deepEqual(values(), [1]);
  driver.commit();
  assert.deepEqual(values(), [2]);
});

test('what a processor keeps outside of its stores does not survive', async () => {
  const made = topology('forgetful');
  const supplier = () => {
    let seen = 0;
    return {
      process: (_value: string, key: string, context: { forward(key: string, value: number): void }) =>
        context.forward(key, ++seen),
    };
  };
  made.stream(words).processValues({ name: 'seen', supplier, value: int64() }).to(counts);
  const driver = await TopologyDriver.open(made);
  const send = () => driver.input(words).send('k', 'a');
  send();
  send();
  await driver.rebalance();
  send();
  const read = driver.output(counts).read();
  assert.deepEqual(
    read.map(({ value }) => value),
    [1, 2, 1],
  );
});

test('a store shows its rows over all partitions, and an unknown one is told', async () => {
  const driver = await TopologyDriver.open(app());
  const send = (word: string, timestamp: number) => driver.input(words).send(word, word, { timestamp });
  send('a', 1);
  send('b', 5);
  send('a', 12);
  const table = driver.table<string, number>('counts');
  const rows = table.rows().map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);
  assert.deepEqual(rows.toSorted(), ['a 2 12', 'b 1 5']);
  assert.equal(table.get('a'), 2);
  assert.equal(table.get('c'), undefined);
  const panes = driver.table<string, number>('windows');
  assert.equal(panes.get('a', 0), 2);
  assert.equal(panes.get('a', 10), 1);
  assert.throws(
    () => driver.table('other'),
    (thrown: unknown) => isFlowError(thrown) && /it has counts, windows/.test(thrown.message),
  );
});

test('of records on their way the oldest goes first, whatever their stages', async () => {
  const plain = { key: string(), value: string(), partitions: 1 } as const;
  const source = topic('source', plain);
  const out = topic('out', plain);
  const made = topology('ordered');
  const stream = made.stream(source);
  const supplier = (add: number) => () => ({
    process: (value: string, key: string, context: { forward(key: string, value: string, at: number): void }) =>
      context.forward(key, value, add),
  });
  const late = stream.processValues({ name: 'late', supplier: supplier(9), value: string() });
  const early = stream.processValues({ name: 'early', supplier: supplier(3), value: string() });
  for (const [name, branch] of [['late', late] as const, ['early', early] as const]) {
    const again = branch.repartition({ name: `again-${name}`, ...plain });
    again.mapValues((value) => `${name} ${value}`).to(out);
  }
  const driver = await TopologyDriver.open(made);
  driver.input(source).send('k', 'v', { timestamp: 1 });
  const read = driver.output(out).read();
  assert.deepEqual(
    read.map(({ value }) => value),
    ['early v', 'late v'],
  );
});

test('the order of inputs is that of a priority queue', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (heads) => {
      const order = new OldestFirst<{ readonly head: number }>(({ head }) => head);
      for (const head of heads) order.offer({ head });
      const taken: number[] = [];
      for (let next = order.take(); next !== undefined; next = order.take()) taken.push(next.head);
      assert.deepEqual(
        taken,
        heads.toSorted((a, b) => a - b),
      );
    }),
    { seed: 20261128 },
  );
});

test('records without a key pass a repartition where a left join lies behind, and nowhere else', async () => {
  const out = topic('out', texts);
  const rows = topic('rows', texts);
  const run = async (how: 'left' | 'inner') => {
    const made = topology('null-keys');
    const table = made.table(rows, { store: 'rows' });
    const keyed = made
      .stream(words)
      .selectKey((word) => (word === 'none' ? null! : word))
      .repartition({ name: 'again', ...texts });
    keyed.groupByKey().count({ store: 'counts' });
    const merge = (word: string, row: string | null) => `${word} ${row}`;
    (how === 'left' ? keyed.leftJoinTable(table, { merge }) : keyed.joinTable(table, { merge })).to(out);
    const driver = await TopologyDriver.open(made);
    driver.input(words).send('k', 'none');
    const read = driver.output(out).read();
    return { read: read.map(({ key, value }) => [key, value]), dropped: driver.dropped() };
  };
  assert.deepEqual(await run('inner'), { read: [], dropped: { 'repartition:again null-key': 1 } });
  assert.deepEqual(await run('left'), { read: [[null, 'none null']], dropped: { 'aggregate:counts null-key': 1 } });
});

test('a timer by stream time does not fire before the first record, though one by the wall clock does', async () => {
  const made = topology('timers');
  const ticks: string[] = [];
  const supplier = (time: 'stream' | 'wall') => () => ({
    init(context: ProcessContext<string, string>) {
      context.schedule(10, time, (at) => ticks.push(`${time} ${at}`));
    },
    process: () => undefined,
  });
  made.stream(words).process({ name: 'wall', supplier: supplier('wall') });
  made.stream(words).process({ name: 'stream', supplier: supplier('stream') });
  const driver = await TopologyDriver.open(made);
  driver.advance(10);
  assert.deepEqual(ticks, ['wall 10', 'wall 10']);
  driver.input(words).send('k', 'a', { timestamp: 3 });
  assert.deepEqual(ticks.slice(2), ['stream 3']);
});

test('a stream may be joined with an aggregate of its own, which its next record sees', async () => {
  const out = topic('out', texts);
  const made = topology('own');
  const stream = made.stream(words);
  const table = stream
    .groupBy((word) => word, { name: 'by-word', key: string(), partitions: 2 })
    .count({ store: 'own' });
  const merge = (word: string, seen: number | null) => `${word} ${seen ?? 0}`;
  stream.leftJoinTable(table, { merge }).to(out);
  const driver = await TopologyDriver.open(made);
  for (let n = 0; n < 3; n++) driver.input(words).send('a', 'a', { timestamp: n });
  const read = driver.output(out).read();
  assert.deepEqual(
    read.map(({ value }) => value),
    ['a 0', 'a 1', 'a 2'],
  );
});

test('with one stream time for all tasks a timer fires when a record of another stage has come so far', async () => {
  const others = topic('others', texts);
  const run = async (sharedStreamTime: boolean) => {
    const made = topology('shared');
    const ticks: number[] = [];
    const supplier = () => ({
      init: (context: ProcessContext<string, string>) => context.schedule(10, 'stream', (at) => ticks.push(at)),
      process: () => undefined,
    });
    made.stream(words).process({ name: 'ticks', supplier });
    made.stream(others).to(topic('out', texts));
    const driver = await TopologyDriver.open(made, { sharedStreamTime });
    driver.input(others).send('k', 'a', { timestamp: 25, partition: 0 });
    return ticks;
  };
  assert.deepEqual(await run(false), []);
  assert.deepEqual(await run(true), [25, 25]);
});
