import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { int64, string } from '../schemas/schemas.ts';
import { type StreamOptions, topic, topology } from '../topology/topology.ts';
import { type DriverOptions, TopologyDriver } from './testing.ts';

const input = topic('in', { key: string(), value: int64(), partitions: 1 });
const output = topic('out', { key: string(), value: int64(), partitions: 1 });

async function open(options: StreamOptions<string, number | null>, driver: DriverOptions = {}) {
  const app = topology('times');
  app
    .stream(input, options)
    .mapValues((value) => (value ?? 0) + 1)
    .to(output);
  const opened = await TopologyDriver.open(app, driver);
  return {
    send: (...times: readonly number[]) => {
      for (const timestamp of times) opened.input(input).send('k', timestamp % 1000, { timestamp });
    },
    times: () =>
      opened
        .output(output)
        .read()
        .map(({ timestamp }) => timestamp),
    dropped: () => opened.dropped(),
    driver: opened,
  };
}

test('a negative time, or one beyond 2^53, is dropped before any operator and counted by its reason', async () => {
  const { send, times, dropped } = await open({});
  send(5, -1, 2 ** 60, 6);
  assert.deepEqual(times(), [5, 6]);
  assert.deepEqual(dropped(), { 'source:in negative-time': 1, 'source:in absurd-time': 1 });
});

test('so are the times that a function makes up; what is between two milliseconds counts as the first', async () => {
  const made = [1.5, Number.NaN, -3, Number.POSITIVE_INFINITY, 7];
  const { send, times, dropped } = await open({ time: (value) => made[value ?? 0]! });
  send(0, 1, 2, 3, 4);
  assert.deepEqual(times(), [1, 7]);
  assert.deepEqual(dropped(), { 'source:in absurd-time': 2, 'source:in negative-time': 1 });
});

test('one record moves time by no more than maxAhead, and the first no further beyond the wall clock', async () => {
  const { send, times, dropped } = await open({ maxAhead: 100 }, { startMs: 1000 });
  send(5000, 900, 990, 1091, 1090, 1190, 3, 1290);
  assert.deepEqual(times(), [900, 990, 1090, 1190, 3, 1290]);
  assert.deepEqual(dropped(), { 'source:in absurd-time': 2 });
});

test('clamp brings times within bounds', async () => {
  const { send, times, dropped } = await open({ maxAhead: 100, onAbsurdTime: 'clamp' }, { startMs: 1000 });
  send(5000, 1150, 9000, -7, 1201);
  assert.deepEqual(times(), [1100, 1150, 1250, 1250, 1201]);
  assert.deepEqual(dropped(), {});
});

test('dead-letter keeps the record and says why; fail says where and what to do', async () => {
  const dead = await open({ onAbsurdTime: 'dead-letter' });
  dead.send(-4);
  const [letter] = dead.driver.deadLetters();
  assert.equal(letter?.headers['nf.reason'], 'negative-time');
  assert.deepEqual(dead.dropped(), { 'source:in negative-time': 1 });

  const failing = await open({ onAbsurdTime: 'fail' });
  assert.throws(
    () => failing.send(-4),
    (thrown) => isFlowError(thrown, 'record.failed') && /in\/0 position 0.*1970.*onAbsurdTime/.test(thrown.message),
  );
});

test('a bound of nothing is a fault of the plan', () => {
  const app = topology('nothing');
  app.stream(input, { maxAhead: 0 }).to(output);
  assert.throws(() => app.build(), /source:in: maxAhead is 0 ms; say a whole number of at least 1/);
});
