import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, string, windowed } from '../schemas/schemas.ts';
import { topic, topology, tumbling } from '../topology/topology.ts';
import { TopologyDriver } from './testing.ts';

const events = topic('events', { key: string(), value: string(), partitions: 2 });
const finals = topic('finals', { key: windowed(string(), 10), value: int64(), partitions: 1 });

/** Calls of `slow` answer when they are let go, all others at once; an input with nothing to read is idle at once. */
async function opened() {
  const waiting: (() => void)[] = [];
  const app = topology('calls');
  app
    .stream(events)
    .mapAsync({
      ...{ name: 'ask', concurrency: 4, value: string() },
      fn: (value) => (value === 'slow' ? new Promise<string>((go) => waiting.push(() => go(value))) : value),
    })
    .groupBy(() => 'all', { name: 'by', key: string(), partitions: 1 })
    .window(tumbling(10))
    .count({ store: 'counts' })
    .suppress()
    .toStream()
    .to(finals);
  const driver = await TopologyDriver.open(app, { idleMs: 0 });
  const windows: string[] = [];
  return {
    driver,
    async send(partition: number, value: string, timestamp: number) {
      driver.input(events).send('k', value, { partition, timestamp });
      return this.settled();
    },
    async letGo() {
      for (const go of waiting.splice(0)) go();
      return this.settled();
    },
    /** What has come out so far. */
    async settled() {
      await driver.clock.turn();
      driver.advance(0);
      for (const { key, value } of driver.output(finals).read()) windows.push(`${key!.start}: ${value}`);
      return windows.join();
    },
  };
}

test('a call in flight holds time at its record, and its task is not idle', async () => {
  const { driver, ...run } = await opened();
  assert.equal(await run.send(0, 'swift', 25), '');
  assert.equal(await run.send(1, 'slow', 27), '');
  assert.equal(await run.send(0, 'swift', 45), '', 'the window of the call is open');
  assert.equal(await run.letGo(), '20: 2');
  assert.deepEqual(driver.dropped(), {});
});

test('but not one whose input woke up behind the clock: what it answers is late', async () => {
  const { driver, ...run } = await opened();
  assert.equal(await run.send(0, 'swift', 25), '');
  assert.equal(await run.send(1, 'slow', 22), '');
  assert.equal(await run.send(0, 'swift', 31), '20: 1', 'the window of the call has closed');
  assert.equal(await run.letGo(), '20: 1');
  assert.deepEqual(driver.dropped(), { 'aggregate:counts late': 1 });
  // it has caught up
  assert.equal(await run.send(1, 'slow', 33), '20: 1');
  assert.equal(await run.send(0, 'swift', 55), '20: 1');
  assert.equal(await run.letGo(), '20: 1,30: 2');
  assert.deepEqual(driver.dropped(), { 'aggregate:counts late': 1 });
});
