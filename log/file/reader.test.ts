import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { batch, refuses } from '../conformance/bench.conformance.ts';
import type { LogReader } from '../log.ts';
import { createFileLog } from './file.ts';

const PLACE = { topic: 'orders', partition: 0 };
const OTHER = { topic: 'orders', partition: 1 };

/** A virtual clock that counts how often it is asked and set. */
class CountingClock extends VirtualClock {
  asked = 0;
  timers = 0;

  override monotonic(): number {
    this.asked++;
    return super.monotonic();
  }

  override after(ms: number, task: () => void): () => void {
    this.timers++;
    return super.after(ms, task);
  }
}

async function setUp(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-reader-'));
  const clock = new CountingClock();
  const log = await createFileLog({ directory, clock, options: { maintainMs: 0 } });
  t.after(async () => {
    await log.close();
    await rm(directory, { recursive: true, force: true });
  });
  await log.admin.create('orders', { partitions: 2 });
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ ...PLACE, position: 0 }]);
  return { clock, log, reader, producer: await log.producer({}) };
}

/** The positions where what comes in a fetch begins. */
async function positions(reader: LogReader, signal?: AbortSignal): Promise<number[]> {
  const found = await reader.fetch(60_000, signal);
  for (const fetched of found) fetched.release();
  return found.map(({ position }) => position);
}

test('fetches that wait one after the other share a timer and a place at the signal, and a close lets both go', async (t) => {
  const { clock, reader, producer } = await setUp(t);
  const stop = new AbortController();
  const timers = clock.timers;
  for (let i = 0; i < 5; i++) {
    const waiting = positions(reader, stop.signal);
    await clock.turn();
    clock.advance(10);
    await producer.append('orders', 0, batch(`k=${i}`));
    assert.deepEqual(await waiting, [i]);
  }
  assert.equal(clock.timers, timers + 1);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 1);
  await reader.close();
  assert.equal(clock.nextTimer(), undefined);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
});

test('each fetch ends at its own signal, whichever came before', async (t) => {
  const { reader } = await setUp(t);
  const [one, two] = [new AbortController(), new AbortController()];
  for (const stop of [one, two]) {
    const waiting = positions(reader, stop.signal);
    stop.abort();
    assert.deepEqual(await waiting, []);
  }
  const waiting = positions(reader);
  await reader.close();
  assert.deepEqual(await waiting, []);
});

test('a fetch does not go round for what comes to a paused partition, or to one that was taken away', async (t) => {
  const { clock, reader, producer } = await setUp(t);
  reader.assign([{ ...OTHER, position: 0 }]);
  const first = positions(reader);
  await producer.append('orders', 1, batch('a=1'));
  assert.deepEqual(await first, [0]);
  reader.pause(PLACE);
  reader.unassign([OTHER]);
  const waiting = positions(reader);
  await clock.turn();
  const { asked } = clock;
  await producer.append('orders', 0, batch('a=1'));
  await producer.append('orders', 1, batch('a=2'));
  await clock.turn();
  assert.equal(clock.asked, asked);
  reader.resume(PLACE);
  assert.deepEqual(await waiting, [0]);
  const again = positions(reader);
  await clock.turn();
  await producer.append('orders', 0, batch('a=3'));
  assert.deepEqual(await again, [1]);
});

test('a topic that is made anew under its name is waited for as the first one was', async (t) => {
  const { clock, log, reader, producer } = await setUp(t);
  const waiting = positions(reader);
  await clock.turn();
  const refused = refuses('topic.missing', waiting);
  await log.admin.delete('orders');
  await refused;
  await log.admin.create('orders', { partitions: 1 });
  const anew = positions(reader);
  await clock.turn();
  await producer.append('orders', 0, batch('a=1'));
  assert.deepEqual(await anew, [0]);
});

test('a committed reader that stands within an open transaction waits for its outcome', async (t) => {
  const { clock, log, reader } = await setUp(t);
  const producer = await log.producer({ transactionalId: 'tx' });
  producer.begin();
  await producer.append('orders', 0, batch('a=1', 'b=2'));
  reader.assign([{ ...PLACE, position: 1 }]);
  const waiting = positions(reader);
  await clock.turn();
  await producer.commit();
  assert.deepEqual(await waiting, [1]);
});

test('what lies in a segment and what does not yet come in one fetch', async (t) => {
  const { log, reader, producer } = await setUp(t);
  reader.assign([{ ...OTHER, position: 0 }]);
  await producer.append('orders', 0, batch('a=1'));
  await log.checkpoint();
  await producer.append('orders', 1, batch('b=1'));
  const found = await reader.fetch(0);
  assert.deepEqual(
    found.map(({ partition, next }) => [partition, next]),
    [
      [0, 1],
      [1, 1],
    ],
  );
  for (const fetched of found) fetched.release();
});

test('where one partition cannot be read a fetch fails, and once it is gone the others come, each once', async (t) => {
  const { clock, reader, producer } = await setUp(t);
  const missing = { topic: 'nowhere', partition: 0 };
  reader.assign([
    { ...missing, position: 0 },
    { ...OTHER, position: 0 },
  ]);
  await producer.append('orders', 0, batch('a=1'));
  for (let i = 0; i < 2; i++) {
    await producer.append('orders', 1, batch(`b=${i}`));
    await refuses('topic.missing', positions(reader));
  }
  reader.unassign([missing]);
  assert.deepEqual(await positions(reader), [0, 0]);
  const waiting = positions(reader);
  await clock.turn();
  await producer.append('orders', 1, batch('b=2'));
  assert.deepEqual(await waiting, [2]);
});
