import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Fetched, LogReader } from '../log/log.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { MetricSet } from './metrics.ts';
import type { Standby } from './standby.ts';
import { StandbySet } from './standby-set.ts';

/** Standbys of one partition each, that note what is done with them. */
function setUp() {
  const clock = new VirtualClock();
  const lines: { readonly task?: string; readonly message: string }[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const telemetry = createTelemetry({ level: 'info', form: 'json', sink, process: false });
  const done: string[] = [];
  const read = new Set<string>();
  const coming: Fetched[] = [];
  let failFetch: Error | undefined;
  const reader: Partial<LogReader> = {
    assign: (partitions) => {
      for (const { topic } of partitions) read.add(topic);
    },
    unassign: (partitions) => {
      for (const { topic } of partitions) read.delete(topic);
    },
    async fetch(maxWaitMs, signal) {
      if (failFetch !== undefined) {
        const thrown = failFetch;
        failFetch = undefined;
        throw thrown;
      }
      if (coming.length === 0) await clock.sleep(maxWaitMs, signal);
      return coming.splice(0);
    },
    close: async () => void done.push('reader closed'),
  };
  const openFailures = new Map<string, Error[]>();
  let opening: Promise<void> = Promise.resolve();
  const set = new StandbySet({
    clock,
    log: telemetry.log,
    metrics: new MetricSet(telemetry, { application: 'shop' }),
    reader: () => reader as LogReader,
    async open(task) {
      done.push(`open ${task}`);
      await opening;
      const failure = openFailures.get(task)?.shift();
      if (failure !== undefined) throw failure;
      const standby: Partial<Standby> = {
        task,
        figures: { task, at: 1, end: 3 },
        partitions: [{ topic: task, partition: 0, position: 0 }],
        take(fetched) {
          done.push(`${task} takes ${fetched.next}`);
          if (fetched.next < 0) throw new FlowError('state.corrupt', 'the store is corrupt');
          return fetched.next;
        },
        writeBack: async () => undefined,
        close: async () => void done.push(`close ${task}`),
        discard: async () => void done.push(`discard ${task}`),
      };
      return standby as Standby;
    },
  });
  return {
    ...{ clock, set, done, read, openFailures, lines, telemetry },
    warnings: () => lines.filter(({ message }) => message.includes('failed')),
    brings: (topic: string, next: number) =>
      void coming.push({ topic, partition: 0, next, release: () => undefined } as unknown as Fetched),
    failsToFetch: (thrown: Error) => {
      failFetch = thrown;
    },
    opensWhen: (when: Promise<void>) => {
      opening = when;
    },
    /** Lets the loop go on, and `ms` pass. */
    async pass(ms = 0) {
      for (let i = 0; i < 5; i++) await clock.turn();
      clock.advance(ms);
      for (let i = 0; i < 5; i++) await clock.turn();
    },
  };
}

test('standbys are opened and followed while they are wanted, and closed when they are not', async () => {
  const { set, done, read, pass, brings, telemetry } = setUp();
  set.hold(['a', 'b']);
  await pass();
  assert.deepEqual(done.splice(0), ['open a', 'open b']);
  assert.deepEqual([...read], ['a', 'b']);
  brings('a', 7);
  brings('c', 9);
  await pass(500);
  assert.deepEqual(done.splice(0), ['a takes 7']);
  assert.match(telemetry.exposition(), /nodeflow_standby_records_total\{application="shop",task="a"\} 7/);
  assert.match(telemetry.exposition(), /nodeflow_standby_lag_records\{application="shop",task="b"\} 2/);
  assert.equal(set.figures.length, 2);
  set.hold(['b']);
  await pass();
  assert.deepEqual(done.splice(0), ['close a']);
  assert.deepEqual([...read], ['b']);
  assert.doesNotMatch(telemetry.exposition(), /nodeflow_standby_lag_records\{application="shop",task="a"/);
  await set.stop();
  assert.deepEqual(done.splice(0), ['close b', 'reader closed']);
});

test('a folder is free when its standby is closed, also one that is just being opened', async () => {
  const { set, done, opensWhen, pass } = setUp();
  const opened = Promise.withResolvers<void>();
  opensWhen(opened.promise);
  set.hold(['a', 'b']);
  await pass();
  let isFree = false;
  const kept = set.keepOnly(['b']).then(() => {
    isFree = true;
  });
  await set.released('b-that-nobody-has');
  await pass();
  assert.equal(isFree, false);
  opened.resolve();
  await pass();
  await kept;
  assert.deepEqual(done, ['open a', 'close a', 'open b']);
  await set.stop();
});

test('a standby that fails is told, let go and opened again after a rest; others go on', async () => {
  const { set, done, openFailures, brings, pass, warnings } = setUp();
  openFailures.set('a', [new FlowError('state.full', 'no space'), new FlowError('state.full', 'no space')]);
  set.hold(['a', 'b']);
  await pass();
  assert.deepEqual(done.splice(0), ['open a', 'open b']);
  await pass(999);
  assert.deepEqual(done.splice(0), []);
  await pass(500);
  assert.deepEqual(done.splice(0), ['open a']);
  await pass(1500);
  await pass(1000);
  assert.deepEqual(done.splice(0), ['open a']);
  brings('b', -1);
  await pass(500);
  assert.deepEqual(done.splice(0), ['b takes -1', 'discard b']);
  await pass(500);
  await pass(500);
  assert.deepEqual(done.splice(0), ['open b']);
  assert.deepEqual(
    warnings().map(({ task, message }) => `${task}: ${message}`),
    [
      'a: a standby failed and is opened again in 1000 ms: no space',
      'a: a standby failed and is opened again in 2000 ms: no space',
      'b: a standby failed and is opened again in 1000 ms: the store is corrupt',
    ],
  );
  await set.stop();
});

test('where reading fails all are opened again, from where they are then', async () => {
  const { set, done, failsToFetch, pass } = setUp();
  set.hold(['a', 'b']);
  await pass();
  failsToFetch(new FlowError('log.range', 'the changelog begins behind it'));
  await pass(500);
  await pass(1000);
  assert.deepEqual(done.splice(0), ['open a', 'open b', 'discard a', 'discard b', 'open a', 'open b']);
  await set.stop();
});

test('a store that a task has just left is tried once more before it is told', async () => {
  const { set, openFailures, pass, warnings } = setUp();
  openFailures.set('a', [new FlowError('state.locked', 'has another owner')]);
  set.hold(['a']);
  await pass();
  await pass(1500);
  assert.deepEqual(warnings(), []);
  assert.equal(set.figures.length, 1);
  await set.stop();
});
