import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { type DriverOptions, TopologyDriver } from './testing.ts';

const formats = { key: string(), value: string() } as const;

interface Settings {
  readonly how: 'joinStream' | 'leftJoinStream' | 'outerJoinStream';
  readonly partitions?: number;
  /** Where a merge fails. */
  readonly failsOn?: string;
  readonly options?: DriverOptions;
}

async function open({ how, partitions = 1, failsOn, options }: Settings) {
  const app = topology('joins');
  const [left, right, out] = ['left', 'right', 'out'].map((name) => topic(name, { ...formats, partitions }));
  const merge = (a: string | null, b: string | null) => {
    if (a === failsOn) throw new Error('no such pair');
    return `${a}+${b}`;
  };
  const within = { before: 10, after: 10 };
  app.stream(left!)[how](app.stream(right!), { name: 'pairs', within, merge }).to(out!);
  const driver = await TopologyDriver.open(app, options);
  return {
    driver,
    send: (side: 'left' | 'right', key: string, value: string, timestamp: number, headers = {}) =>
      driver.input(side === 'left' ? left! : right!).send(key, value, { timestamp, headers }),
    read: () => driver.output(out!).read(),
  };
}

test('a pair has the headers of the record that came second, also where it brings an older one alone', async () => {
  const { send, read } = await open({ how: 'leftJoinStream' });
  send('left', 'a', 'l1', 0, { trace: 'one' });
  send('left', 'b', 'l2', 20, { trace: 'two' });
  send('right', 'b', 'r3', 21, { trace: 'three' });
  const results = read().map(({ value, timestamp, headers }) => [value, timestamp, headers]);
  assert.deepEqual(results, [
    ['l1+null', 0, { trace: 'two' }],
    ['l2+r3', 21, { trace: 'three' }],
  ]);
});

test('a flush too large for one step comes before the pair that brings it, with its headers', async () => {
  const { send, read } = await open({ how: 'outerJoinStream', options: { batchBytes: 500 } });
  for (let i = 0; i < 1000; i++) send('left', `k${i}`, `l${i}`, 5);
  send('right', 'k', 'r', 100);
  send('left', 'k', 'l', 101, { trace: 'last' });
  const results = read();
  assert.equal(results.length, 1001);
  assert.deepEqual(
    results
      .slice(0, 1000)
      .map(({ value }) => value)
      .sort(),
    Array.from({ length: 1000 }, (_, i) => `l${i}+null`).sort(),
  );
  assert.equal(results.at(-1)?.value, 'l+r');
});

for (const count of [3, 600]) {
  test(`a merge that fails on one of ${count} waiting records costs that one alone`, async () => {
    const { driver, send, read } = await open({ how: 'leftJoinStream', failsOn: 'l1', options: { onFailure: 'skip' } });
    for (let i = 0; i < count; i++) send('left', `k${i}`, `l${i}`, 5);
    send('right', 'k', 'r', 16);
    send('left', 'k', 'l', 17);
    const values = read().map(({ value }) => value);
    assert.equal(values.length, count);
    assert.ok(!values.includes('l1+null') && values.includes('l0+null') && values.includes(`l${count - 1}+null`));
    assert.equal(values.at(-1), 'l+r');
    assert.deepEqual(Object.values(driver.dropped()), [1]);
  });
}

test('a join behind a join: what one brings alone goes into the other', async () => {
  const app = topology('chain');
  const [left, right, third, out] = ['left', 'right', 'third', 'out'].map((name) =>
    topic(name, { ...formats, partitions: 1 }),
  );
  const within = { before: 10, after: 10 };
  const merge = (a: string | null, b: string | null) => `(${a} ${b})`;
  app
    .stream(left!)
    .leftJoinStream(app.stream(right!), { name: 'first', within, merge })
    .outerJoinStream(app.stream(third!), { name: 'second', within: { before: 100, after: 0 }, merge, left: string() })
    .to(out!);
  const driver = await TopologyDriver.open(app);
  for (let i = 0; i < 300; i++) driver.input(left!).send('a', `l${i}`, { timestamp: i % 2 });
  for (let i = 0; i < 300; i++) driver.input(third!).send('b', `t${i}`, { timestamp: 1 });
  driver.input(right!).send('b', 'r', { timestamp: 20 });
  driver.input(left!).send('b', 'l', { timestamp: 21 });
  await driver.end();
  const values = driver
    .output(out!)
    .read()
    .map(({ value }) => value);
  assert.equal(values.filter((value) => /^\(\(l\d+ null\) null\)$/.test(value!)).length, 300);
  assert.equal(values.filter((value) => /^\(\(l r\) t\d+\)$/.test(value!)).length, 300);
  assert.equal(values.length, 600);
});

const ordered = fc
  .array(
    fc.record({
      side: fc.constantFrom('left', 'right'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      later: fc.nat(4),
    }),
    { maxLength: 50, size: 'max' },
  )
  .map((rows) => {
    let at = 0;
    return rows.map(({ side, key, later }, i) => {
      at += later;
      return { side, key, value: `${side[0]}${i}`, at };
    });
  });

test('however many partitions, the results are the same', async () => {
  for (const how of ['joinStream', 'leftJoinStream', 'outerJoinStream'] as const) {
    await fc.assert(
      fc.asyncProperty(ordered, async (events) => {
        const results: string[][] = [];
        for (const partitions of [1, 2, 7]) {
          const { driver, send, read } = await open({ how, partitions });
          for (const { side, key, value, at } of events) send(side, key, value, at);
          await driver.end();
          results.push(
            read()
              .map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`)
              .sort(),
          );
        }
        assert.deepEqual(results[1], results[0]);
        assert.deepEqual(results[2], results[0]);
      }),
      { numRuns: 60, seed: 11 },
    );
  }
});
