import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import type { CallContext, MapAsyncOptions } from '../topology/topology.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { openCalls } from './calls.ts';
import { METRICS, type MetricName } from './metric-table.ts';
import { type DriverOptions, TopologyDriver } from './testing.ts';

const IN = topic('in', { key: string(), value: int64(), partitions: 2 });
const OUT = topic('out', { key: string(), value: string(), partitions: 2 });

/** A call that has been made and waits for its answer. */
interface Asked {
  readonly value: number;
  readonly call: CallContext;
  answer(): void;
  fail(reason?: string): void;
}

type Options = Partial<MapAsyncOptions<string, number, string>>;

async function open(options: Options, driverOptions: DriverOptions = {}) {
  const asked: Asked[] = [];
  const app = topology('calls');
  app
    .stream(IN)
    .mapAsync<string>({
      ...{ name: 'ask', concurrency: 2, ...options },
      fn: (value, key, call) =>
        new Promise((resolve, reject) => {
          asked.push({
            ...{ value, call, answer: () => resolve(`${key}${value}`) },
            fail: (reason = 'no') => reject(new Error(reason)),
          });
        }),
    })
    .to(OUT);
  const driver = await TopologyDriver.open(app, driverOptions);
  const send = (value: number, key = 'a') => driver.input(IN).send(key, value, { timestamp: value, partition: 0 });
  const read = () =>
    driver
      .output(OUT)
      .read()
      .map(({ value }) => value);
  /** Lets what was answered come in; calls that are not answered stay open. */
  const settle = async () => {
    await driver.clock.turn();
    driver.advance(0);
  };
  return { asked, driver, send, read, settle };
}

test('a task takes no more records than may be in flight, and goes on when a result has left', async () => {
  const { asked, send, read, settle } = await open({ concurrency: 2 });
  for (let i = 0; i < 5; i++) send(i);
  assert.deepEqual(
    asked.map(({ value }) => value),
    [0, 1],
  );
  asked[1]!.answer();
  await settle();
  // its result waits for that of the first, which is of the same key
  assert.deepEqual([read(), asked.length], [[], 2]);
  asked[0]!.answer();
  await settle();
  assert.deepEqual(read(), ['a0', 'a1']);
  assert.deepEqual(
    asked.map(({ value }) => value),
    [0, 1, 2, 3],
  );
});

test('other tasks go on while one waits', async () => {
  const { asked, driver, send, read, settle } = await open({ concurrency: 1 });
  send(0);
  send(1);
  driver.input(IN).send('b', 7, { timestamp: 1, partition: 1 });
  assert.deepEqual(
    asked.map(({ value }) => value),
    [0, 7],
  );
  asked[1]!.answer();
  await settle();
  assert.deepEqual(read(), ['b7']);
});

test('an attempt that takes too long is aborted and made again after a pause, which grows', async () => {
  const { asked, driver, send, read, settle } = await open({
    ...{ timeout: { seconds: 1 }, retry: { attempts: 3, backoff: 100, maxBackoff: 150 } },
  });
  send(4);
  const [first] = asked;
  driver.advance(999);
  assert.equal(first!.call.signal.aborted, false);
  driver.advance(1);
  assert.equal(first!.call.signal.aborted, true);
  // too late to count
  first!.answer();
  await settle();
  assert.deepEqual(read(), []);
  driver.advance(49);
  assert.equal(asked.length, 1);
  driver.advance(51);
  assert.deepEqual([asked.length, asked[1]!.call.attempt], [2, 2]);
  asked[1]!.fail();
  await settle();
  driver.advance(150);
  assert.deepEqual([asked.length, asked[2]!.call.attempt], [3, 3]);
  asked[2]!.answer();
  await settle();
  assert.deepEqual(read(), ['a4']);
});

test('a call that has failed for good goes by the policy of the application', async () => {
  const retry = { attempts: 2, backoff: 10 };
  const letters = await open({ retry, timeout: 50 }, { onFailure: 'dead-letter' });
  letters.driver.input(IN).send('a', 3, { timestamp: 5, partition: 0, headers: { trace: 'x' } });
  letters.asked[0]!.fail('the service said no');
  await letters.driver.clock.turn();
  letters.driver.advance(10);
  // the second attempt never answers
  letters.driver.advance(50);
  const [letter] = letters.driver.deadLetters();
  assert.equal(letter!.key!.toString(), 'a');
  assert.equal(int64().decode(letter!.value!, 0, letter!.value!.length), 3);
  assert.equal(letter!.timestamp, 5);
  assert.equal(letter!.headers['nf.node'], 'mapAsync:ask');
  assert.match(letter!.headers['nf.message']!, /no answer of mapAsync:ask within 50 ms/);
  assert.deepEqual(letters.driver.dropped(), { 'mapAsync:ask failed': 1 });

  const skips = await open({}, { onFailure: 'skip' });
  skips.send(0);
  skips.send(1);
  skips.asked[0]!.fail();
  skips.asked[1]!.answer();
  await skips.settle();
  assert.deepEqual([skips.read(), skips.driver.dropped()], [['a1'], { 'mapAsync:ask failed': 1 }]);

  const fails = await open({});
  fails.send(0);
  fails.asked[0]!.fail('the service said no');
  await fails.driver.clock.turn();
  assert.throws(
    () => fails.driver.advance(0),
    (thrown) =>
      isFlowError(thrown, 'record.failed') && /mapAsync:ask failed .*: the service said no;/.test(thrown.message),
  );
});

test('what lies behind and fails on a result costs that one alone', async () => {
  const app = topology('behind');
  app
    .stream(IN)
    .mapAsync({ name: 'ask', concurrency: 5, fn: async (value) => value })
    .mapValues((value) => {
      if (value === 1) throw new Error('not one');
      return `${value}`;
    })
    .to(OUT);
  const driver = await TopologyDriver.open(app, { onFailure: 'skip' });
  for (let i = 0; i < 4; i++) driver.input(IN).send('a', i);
  await driver.idle();
  const values = driver.output(OUT).read();
  assert.deepEqual(
    [values.map(({ value }) => value), driver.dropped()],
    [['0', '2', '3'], { 'mapAsync:ask failed': 1 }],
  );
});

test('a task that is given up aborts its calls, and the next owner makes them again', async () => {
  const { asked, driver, send, read, settle } = await open({}, { commit: 'on demand' });
  send(0);
  send(1);
  driver.commit();
  asked[0]!.answer();
  await settle();
  await driver.crash();
  assert.deepEqual(
    asked.map(({ value, call }) => [value, call.signal.aborted]),
    [
      [0, false],
      [1, true],
      [0, false],
      [1, false],
    ],
  );
  // nobody listens to the old one
  asked[1]!.answer();
  await settle();
  for (const each of asked.slice(2)) each.answer();
  await settle();
  driver.commit();
  assert.deepEqual(read(), ['a0', 'a1']);
  await driver.rebalance();
  assert.equal(asked.length, 4);
});

test('inputs end when nothing is in flight: windows behind a call get what it brings', async () => {
  const app = topology('ends');
  const totals = topic('totals', { key: string(), value: int64(), partitions: 2 });
  let fails = 3;
  app
    .stream(IN)
    .mapAsync({
      ...{ name: 'ask', concurrency: 1, value: int64(), retry: { attempts: 9, backoff: 1000 } },
      async fn(value) {
        if (fails-- > 0) throw new Error('later');
        return value;
      },
    })
    .mapAsync({ name: 'ask-again', concurrency: 1, input: int64(), value: int64(), fn: async (value) => value * 10 })
    .groupByKey()
    .reduce({ store: 'sums', value: int64(), add: (sum, value) => sum + value })
    .toStream()
    .to(totals);
  const driver = await TopologyDriver.open(app);
  for (let i = 1; i <= 4; i++) driver.input(IN).send('a', i, { timestamp: i });
  await driver.end();
  assert.deepEqual(
    driver
      .output(totals)
      .read()
      .map(({ value }) => value),
    [10, 30, 60, 100],
  );
});

const jobs = fc.record({
  order: fc.constantFrom('key', 'partition', 'none'),
  concurrency: fc.integer({ min: 1, max: 4 }),
  keys: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 25, size: 'max' }),
  seed: fc.nat(),
});

test('never more calls at a time than said, and every result once, however calls end and tasks crash', async () => {
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(jobs, async ({ order, concurrency, keys, seed }) => {
      const random = seededRandom(seed);
      const { asked, driver, send, read, settle } = await open(
        { order, concurrency, retry: { attempts: 1000, backoff: 1 } },
        { commit: 'on demand' },
      );
      const waiting = new Set<Asked>();
      const look = () => {
        for (const each of asked.splice(0)) waiting.add(each);
        for (const each of waiting) if (each.call.signal.aborted) waiting.delete(each);
        assert.ok(waiting.size <= concurrency, `${waiting.size} calls at a time`);
      };
      const end = (each: Asked) => {
        waiting.delete(each);
        if (randomInt(random, 4) === 0) each.fail();
        else each.answer();
      };
      for (const [i, key] of keys.entries()) {
        send(i, key);
        look();
        if (randomInt(random, 2) === 0 && waiting.size > 0) end([...waiting][randomInt(random, waiting.size)]!);
        if (randomInt(random, 2) === 0) await settle();
        driver.advance(randomInt(random, 2));
        if (randomInt(random, 5) === 0) driver.commit();
        if (randomInt(random, 8) === 0) {
          crashes++;
          await driver.crash();
        }
        look();
      }
      for (let rounds = 0; rounds < 1000; rounds++) {
        look();
        const [next] = waiting;
        if (next !== undefined) end(next);
        await settle();
        driver.advance(1);
        look();
        if (waiting.size === 0 && driver.inFlight === 0) break;
      }
      driver.commit();
      const values = read();
      const all = keys.map((key, i) => `${key}${i}`);
      assert.deepEqual(values.toSorted(), all.toSorted());
      if (order === 'partition') assert.deepEqual(values, all);
      for (const key of order === 'key' ? ['a', 'b', 'c'] : []) {
        const own = (value: string | null) => value!.startsWith(key);
        assert.deepEqual(values.filter(own), all.filter(own));
      }
    }),
    { numRuns: 100, seed: 4242 },
  );
  assert.ok(crashes > 100, `${crashes} crashes`);
});

// hard-places 14: a task carries no more than the oldest call in flight
test('records in flight hold time: what they bring is not late behind a repartition', async () => {
  const answers: (() => void)[] = [];
  const app = topology('held');
  const finals = topic('finals', { key: windowed(string(), 10), value: int64(), partitions: 1 });
  app
    .stream(IN)
    .mapAsync({
      ...{ name: 'ask', order: 'none', concurrency: 9, value: int64() },
      fn: (value) => new Promise<number>((resolve) => answers.push(() => resolve(value))),
    })
    .repartition({ name: 'all', key: string(), value: int64(), partitions: 1 })
    .groupByKey()
    .window(tumbling(10))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .to(finals);
  const driver = await TopologyDriver.open(app);
  const read = () =>
    driver
      .output(finals)
      .read()
      .map(({ key, value }) => [key!.start, value]);
  const settle = async () => {
    await driver.clock.turn();
    driver.advance(0);
  };
  driver.input(IN).send('a', 1, { timestamp: 5, partition: 0 });
  driver.input(IN).send('b', 2, { timestamp: 100, partition: 1 });
  driver.input(IN).send('a', 3, { timestamp: 100, partition: 0 });
  answers[1]!();
  answers[2]!();
  await settle();
  assert.deepEqual(read(), []);
  answers[0]!();
  await settle();
  assert.deepEqual(read(), [[0, 1]]);
  assert.deepEqual(driver.dropped(), {});
});

test('attempts are counted by outcome, with their time, and records in flight are shown', async () => {
  const telemetry = createTelemetry({ level: 'silent', form: 'json', process: false });
  const clock = new VirtualClock();
  const step = new Step();
  const calls = openCalls({ clock, step, telemetry, application: 'app', task: 't_0', notify: () => undefined });
  const none = () => {};
  const results = {
    ...{ node: 'mapAsync:ask', inFlight: 2, full: false, ready: false },
    ...{ release: none, cut: none, committed: none, giveUp: assert.fail },
  };
  const settings = {
    concurrency: 1,
    order: 'none',
    timeoutMs: 1000,
    attempts: 2,
    backoffMs: 10,
    maxBackoffMs: 10,
  } as const;
  const caller = calls.add(settings, results);
  const ends: unknown[] = [];
  const call = (begin: (attempt: number) => unknown) => ({
    begin,
    done: (result: unknown) => ends.push(result),
    failed: (reason: unknown) => ends.push(String(reason)),
  });
  caller.start(call((attempt) => (attempt === 1 ? Promise.reject(new Error('no')) : 'yes')));
  caller.start(call(() => new Promise(() => {})));
  calls.begin();
  for (let i = 0; i < 5; i++) {
    await clock.turn();
    clock.advance(1000);
  }
  assert.equal(ends[0], 'yes');
  assert.match(String(ends[1]), /no answer of mapAsync:ask within 1000 ms/);
  const shown = telemetry.snapshot().filter(({ name }) => name.startsWith('nodeflow_call'));
  const figure = (name: string, outcome?: string) =>
    shown.find((row) => row.name === name && row.labels['outcome'] === outcome)?.values[0];
  assert.equal(figure('nodeflow_calls_in_flight'), 2);
  assert.equal(figure('nodeflow_calls_total', 'done'), 1);
  assert.equal(figure('nodeflow_calls_total', 'failed'), 1);
  assert.equal(figure('nodeflow_calls_total', 'timeout'), 2);
  assert.equal(figure('nodeflow_call_duration_seconds'), 4);
  for (const { name, labels } of shown) {
    assert.deepEqual(Object.keys(labels).sort(), [...METRICS[name as MetricName].labels].sort(), name);
  }
  calls.close();
  assert.ok(!telemetry.snapshot().some(({ name }) => name === 'nodeflow_calls_in_flight'));
});
