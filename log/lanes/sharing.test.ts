import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { batch, batchAt, readTo, refuses } from '../conformance/bench.conformance.ts';
import type { Log, LogCapabilities } from '../log.ts';
import { createMemoryLog, type MemoryLog } from '../memory/memory.ts';
import { createLaneLog, type LaneSettings } from './lanes.ts';

const HOUR = 3_600_000;

function open(t: TestContext, processes = 1, lanes: Partial<LaneSettings> = {}) {
  const clock = new VirtualClock(1_700_000_000_000);
  const below = createMemoryLog({ clock, random: seededRandom(1) });
  const runOf = (topic: string) => (topic.startsWith('r') ? topic.split('.')[0] : undefined);
  const logs = Array.from({ length: processes }, () => createLaneLog(below, { clock, runOf, lanes }));
  t.after(async () => {
    for (const log of logs) await log.close();
    await below.close();
  });
  return { clock, below, logs, log: logs[0]! };
}

async function values(log: Log, topic: string, partition = 0): Promise<(string | null)[]> {
  const { start, stable } = await log.admin.bounds(topic, partition);
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic, partition, position: start }]);
  const rows = await readTo(reader, start, stable);
  await reader.close();
  return rows.map(({ value }) => value);
}

async function rowsOfTable(below: MemoryLog): Promise<number> {
  below.compact('nf.lanes');
  return (await values(below, 'nf.lanes')).filter((value) => value !== null).length;
}

test('runs make topics and delete them, and the log below has the same topics all the time', async (t) => {
  const { log, below } = open(t);
  await log.admin.create('r0.a', { partitions: 1 });
  const before = await below.admin.list();
  assert.equal(before.length, 9);
  const producer = await log.producer({});
  for (let run = 1; run < 20; run++) {
    for (const name of ['a', 'b', 'c']) await log.admin.create(`r${run}.${name}`, { partitions: 4 });
    await producer.append(`r${run}.b`, 3, batch(`k=${run}`));
    assert.deepEqual(await values(log, `r${run}.b`, 3), [String(run)]);
    assert.deepEqual(await values(log, `r${run}.a`, 3), []);
    for (const name of ['a', 'b', 'c']) await log.admin.delete(`r${run}.${name}`);
    assert.ok(!(await log.admin.list()).includes(`r${run}.a`));
  }
  assert.deepEqual(await below.admin.list(), before);
  assert.equal(await rowsOfTable(below), 1);
});

test('topics of no run, and those that a run has made below, go through', async (t) => {
  const { log, below } = open(t);
  await log.admin.create('orders', { partitions: 2 });
  await below.admin.create('r1.own', { partitions: 1 });
  const producer = await log.producer({});
  for (const topic of ['orders', 'r1.own']) {
    await producer.append(topic, 0, batch('a=1'));
    assert.deepEqual(await values(below, topic), ['1']);
    assert.deepEqual(await values(log, topic), ['1']);
    await refuses('topic.exists', log.admin.create(topic, { partitions: 1 }));
    await log.admin.delete(topic);
    assert.equal(await below.admin.describe(topic), undefined);
  }
});

test('two processes that make the same topics at a time use the same, and no two have a slot in common', async (t) => {
  const { logs, below } = open(t, 3);
  const topics = ['r1.a', 'r1.b', 'r1.c', 'r1.d'];
  const made = await Promise.all(
    logs.map((log, i) => {
      const order = i % 2 === 0 ? topics : topics.toReversed();
      return Promise.allSettled(order.map((topic) => log.admin.create(topic, { partitions: 2 })));
    }),
  );
  const refused = made.flat().filter((each) => each.status === 'rejected');
  assert.equal(refused.length, 8);
  for (const { reason } of refused) assert.match(String(reason), /exists/);
  assert.equal(await rowsOfTable(below), 4);
  const ids = await Promise.all(logs.map(async (log) => Promise.all(topics.map((each) => log.admin.describe(each)))));
  assert.deepEqual(ids[1], ids[0]);
  assert.deepEqual(ids[2], ids[0]);
  const positions = topics.flatMap((topic, t) =>
    [0, 1].map((partition) => ({ topic, partition, position: 10 * t + partition, metadata: `${t}` })),
  );
  for (const [i, position] of positions.entries()) await logs[i % 3]!.admin.setPositions('g', [position]);
  const kept = positions.map(({ position, metadata }) => ({ position, metadata }));
  for (const log of logs) assert.deepEqual(await log.committed('g', positions), kept);
  const [group] = await logs[0]!.admin.groups();
  const name = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;
  assert.deepEqual(group?.positions.map(name).sort(), positions.map(name).sort());
});

test('what another process declares is found, and what it deletes is missing', async (t) => {
  const { logs } = open(t, 2);
  const [one, other] = logs as [Log, Log];
  const reader = other.reader({ isolation: 'committed' });
  reader.assign([{ topic: 'r1.a', partition: 0, position: 0 }]);
  await refuses('topic.missing', reader.fetch(0));
  await one.admin.create('r1.a', { partitions: 1 });
  await (await one.producer({})).append('r1.a', 0, batch('a=1'));
  const [fetched] = await reader.fetch(1000);
  assert.equal(fetched?.starts.length, 1);
  const producer = await other.producer({});
  const sent = await Promise.all([0, 1, 2].map((i) => producer.append('r1.a', 0, batch(`b=${i}`))));
  assert.deepEqual(sent, [1, 2, 3]);
  await one.admin.delete('r1.a');
  assert.equal(await other.admin.describe('r1.a'), undefined);
  await refuses('topic.missing', reader.fetch(0));
  await reader.close();
});

test('a topic made anew has neither records nor positions of the one before', async (t) => {
  const { log } = open(t);
  const place = { topic: 'r1.a', partition: 0 };
  for (let round = 0; round < 3; round++) {
    await log.admin.create('r1.a', { partitions: 1 });
    assert.deepEqual(await log.committed('g', [place]), [undefined]);
    assert.deepEqual(
      (await log.admin.groups()).flatMap(({ positions }) => positions),
      [],
    );
    assert.deepEqual(await log.admin.bounds('r1.a', 0), { start: 0, stable: 0, end: 0 });
    await (await log.producer({})).append('r1.a', 0, batch('a=1', 'b=2'));
    await log.admin.setPositions('g', [{ ...place, position: 2, metadata: 'm' }]);
    assert.deepEqual(await log.committed('g', [place]), [{ position: 2, metadata: 'm' }]);
    await log.admin.delete('r1.a');
  }
});

test('compacted topics find slots when positions of them are kept, whoever keeps the first', async (t) => {
  const { logs } = open(t, 2, { topics: 2, partitions: 4 });
  const topics = ['r1.a', 'r1.b', 'r1.c', 'r1.d'];
  const cleanup = 'compact';
  await Promise.all(topics.map((topic) => logs[0]!.admin.create(topic, { partitions: 2, cleanup })));
  const positions = topics.flatMap((topic, t) =>
    [0, 1].map((partition) => ({ topic, partition, position: 10 * t + partition, metadata: '' })),
  );
  const none = positions.map(() => undefined);
  for (const log of logs) assert.deepEqual(await log.committed('g', positions), none);
  await Promise.all(positions.map((position, i) => logs[i % 2]!.admin.setPositions('g', [position])));
  const kept = positions.map(({ position, metadata }) => ({ position, metadata }));
  for (const log of logs) assert.deepEqual(await log.committed('g', positions), kept);
});

test('a topic for which its run has no slot left is one of its own', async (t) => {
  const { log, below } = open(t, 1, { topics: 2, partitions: 4 });
  await log.admin.create('r1.a', { partitions: 3 });
  await log.admin.create('r1.b', { partitions: 2 });
  await log.admin.create('r1.c', { partitions: 1 });
  await log.admin.create('r1.table', { partitions: 9, cleanup: 'compact' });
  const own = (await below.admin.list()).filter((topic) => topic.startsWith('r'));
  assert.deepEqual(own, ['r1.b']);
  const places = ['r1.a', 'r1.b', 'r1.c'].map((topic) => ({ topic, partition: 0, position: 5, metadata: topic }));
  await log.admin.setPositions('g', places);
  const kept = places.map(({ position, metadata }) => ({ position, metadata }));
  assert.deepEqual(await log.committed('g', places), kept);
  const table = [{ topic: 'r1.table', partition: 0, position: 1, metadata: '' }];
  assert.match(await refuses('topic.settings', log.admin.setPositions('g', table)), /r1\.table/);
  assert.deepEqual(await log.committed('g', table), [undefined]);
  for (const topic of ['r1.a', 'r1.b', 'r1.c', 'r1.table']) await log.admin.delete(topic);
  assert.deepEqual(
    (await log.admin.list()).filter((topic) => topic.startsWith('r')),
    [],
  );
});

test('times of records are found, and do not count for what a lane keeps; what it has dropped is told', async (t) => {
  const { log, below, clock } = open(t, 1, { retentionMs: HOUR });
  await log.admin.create('r1.a', { partitions: 1 });
  const producer = await log.producer({});
  for (const [i, timestamp] of [1000, 5000, 3000, 9000].entries()) {
    await producer.append('r1.a', 0, batchAt(timestamp, `a=${i}`, `b=${i}`));
  }
  const since = (timestamp: number) => log.admin.positionSince('r1.a', 0, timestamp);
  assert.deepEqual(await Promise.all([0, 1000, 1001, 5001, 9000, 9001].map(since)), [0, 0, 2, 6, 6, 8]);
  const expire = () => {
    for (let lane = 0; lane < 8; lane++) below.expire(`nf.lane.${lane}`);
  };
  expire();
  assert.equal((await values(log, 'r1.a')).length, 8);
  clock.advance(2 * HOUR);
  await producer.append('r1.a', 0, batch('c=1'));
  expire();
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic: 'r1.a', partition: 0, position: 8 }]);
  assert.equal((await reader.fetch(0))[0]?.starts.length, 1);
  assert.equal((await log.admin.bounds('r1.a', 0)).start, 0);
  reader.assign([{ topic: 'r1.a', partition: 0, position: 2 }]);
  assert.match(
    await refuses('log.range', reader.fetch(0)),
    /position 2 of r1\.a\/0 is gone: nf\.lane\.\d\/\d.* retention/,
  );
  await reader.close();
});

test('a declaration whose answer gets lost counts once', async (t) => {
  const { log, below, clock } = open(t);
  await log.admin.create('r1.a', { partitions: 1 });
  below.faults.order('lost-answer', 'append', 1);
  below.faults.order('lost-request', 'append', 1);
  let made = false;
  const making = log.admin.create('r1.b', { partitions: 1 }).finally(() => {
    made = true;
  });
  while (!made) {
    clock.advance(100);
    await clock.turn();
  }
  await making;
  assert.equal(await rowsOfTable(below), 2);
});

test('a log that opens batches has no lanes', (t) => {
  const { below, clock } = open(t);
  const capabilities: LogCapabilities = { ...below.capabilities, driver: 'other', rawBatches: false };
  assert.throws(() => createLaneLog({ ...below, capabilities }, { clock, runOf: () => 'r' }), /other/);
});
