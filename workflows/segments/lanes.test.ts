import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { createLaneLog } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { json, string } from '../../schemas/schemas.ts';
import { memoryHost, runDocument, topicsOfRuns } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import { putRecord, putRecords } from './put-record.ts';
import { forgetSegment, runOfTopic, segmentName } from './run-segment.ts';

const SUMS = documentOf(
  [
    ['items', 'map.items', { items: 'input' }],
    ['by', 'op.select-key', { key: 'string(value % 3)', partitions: 2 }],
    ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
    ['all', 'collect', { newest: true }],
  ],
  ['items > by', 'by > sums', 'sums > all'],
);

function itemsOf(run: number): number[] {
  return Array.from({ length: 30 + run }, (_, n) => n * (run + 1));
}

function sumsOf(run: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const item of itemsOf(run)) sums[item % 3] = (sums[item % 3] ?? 0) + item;
  return sums;
}

test('the name of a topic says the run that it shares a lane with', () => {
  assert.equal(runOfTopic(`nf.${segmentName('order-7', 'a')}.sums.changelog`), 'wf.order-7');
  assert.equal(runOfTopic(`${segmentName('order-7', 'a')}.all`), 'wf.order-7');
  const hashed = segmentName('order/7', 'a.b', '3');
  assert.equal(runOfTopic(`nf.${hashed}.run`), hashed);
  for (const topic of ['orders', 'nf.events', 'nf.lane.3', 'wf.orders']) assert.equal(runOfTopic(topic), undefined);
});

test('bounded runs make no topics and leave none; dedicated ones have their own', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  assert.deepEqual(await topicsOfRuns(host), []);
  assert.deepEqual(await host.log.admin.list(), []);
  await runDocument(host, SUMS, { name: 'wf.first.items', input: [] });
  await forgetSegment(host, 'wf.first.items');
  const before = await host.log.admin.list();
  // lanes, what is declared in them, and the dead letters of all runs
  assert.equal(before.length, 6);
  for (let run = 0; run < 5; run++) {
    const name = `wf.x${run}.items`;
    const { outputs } = await runDocument(host, SUMS, { name, input: itemsOf(run) });
    assert.deepEqual(outputs['all.out'], sumsOf(run));
    assert.deepEqual(await host.log.admin.list(), before);
    assert.ok((await topicsOfRuns(host)).length > 5);
    await forgetSegment(host, name);
    assert.deepEqual(await topicsOfRuns(host), []);
  }
  await runDocument(host, SUMS, { name: 'wf.own.items', input: itemsOf(1), dedicated: true });
  assert.ok((await host.log.admin.list()).length > before.length + 5);
  await forgetSegment(host, 'wf.own.items');
  assert.deepEqual(await host.log.admin.list(), before);
  await host.log.close();
});

test('a store of Avro rows is new where its lane holds what others wrote', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const row = { type: 'record', name: 'Row', fields: [{ name: 'sum', type: 'long' }] };
  const rows = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['by', 'op.select-key', { key: 'string(value % 3)', partitions: 2 }],
      [
        'sums',
        'op.aggregate',
        {
          ...{ function: 'aggregate', value: { avro: row } },
          ...{ initial: "{'sum': 0}", add: "{'sum': aggregate.sum + value}" },
        },
      ],
      ['all', 'collect', { newest: true }],
    ],
    ['items > by', 'by > sums', 'sums > all'],
  );
  const runs = Array.from({ length: 6 }, (_, run) => run);
  const run = async (each: number) => {
    const { outputs } = await runDocument(host, rows, { name: `wf.x${each}.items`, input: itemsOf(each) });
    const sums = Object.entries(sumsOf(each)).map(([key, sum]) => [key, { sum }]);
    assert.deepEqual(outputs['all.out'], Object.fromEntries(sums));
  };
  // one behind the other, and beside each other
  for (const each of runs.slice(0, 3)) await run(each);
  await Promise.all(runs.slice(3).map(run));
  await host.log.close();
});

test('the record of a realtime run is put where only others have written yet', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const { lanes } = host;
  const topic = { name: 'wf.x.in.orders', partitions: 1, key: string(), value: json() };
  // whoever made it has died before it put the record, and another topic of the run lies in its lane
  await lanes.admin.create(topic.name, { partitions: 1 });
  await putRecords(lanes, { ...topic, name: 'wf.x.other' }, [{ key: 'a', value: 1, timestamp: 0 }]);
  for (let twice = 0; twice < 2; twice++) await putRecord(lanes, topic, { key: 'b', value: 2, timestamp: 0 });
  const found: number[] = [];
  await eachRecord(lanes, topic.name, 0, (view, i) => void found.push(view.positions[i]!));
  assert.equal(found.length, 1);
  await host.log.close();
});

test('a run whose lane has dropped what it wrote says so, and another goes on', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const settings = { topics: 1, partitions: 16, retentionMs: 1 };
  const lanes = createLaneLog(log, { clock: systemClock, runOf: runOfTopic, lanes: settings });
  const host = memoryHost({ log, lanes });
  const stop = new AbortController();
  stop.abort();
  const old = { name: 'wf.old.items', input: itemsOf(1) };
  assert.equal((await runDocument(host, SUMS, { ...old, stop: stop.signal })).how, 'stopped');
  await systemClock.sleep(20);
  log.expire('nf.lane.0');
  await assert.rejects(runDocument(host, SUMS, old), (thrown) => {
    assert.ok(isFlowError(thrown, 'log.range'), String(thrown));
    assert.match(thrown.message, /wf\.old\..* is gone: nf\.lane\.0\/\d+, where run wf\.old lies, .*begin it anew/);
    return true;
  });
  const { outputs } = await runDocument(host, SUMS, { name: 'wf.new.items', input: itemsOf(2) });
  assert.deepEqual(outputs['all.out'], sumsOf(2));
  await forgetSegment(host, 'wf.old.items');
  const again = await runDocument(host, SUMS, old);
  assert.deepEqual(again.outputs['all.out'], sumsOf(1));
  await log.close();
});

test('many runs share few lanes while the log fails and engines stop: each result is exact', {
  timeout: 240_000,
}, async () => {
  for (const seed of [1, 2]) {
    const random = seededRandom(seed);
    const log = createMemoryLog({ clock: systemClock, random });
    const options = { clock: systemClock, runOf: runOfTopic, lanes: { topics: 4, partitions: 2 } };
    // as of two processes
    const hosts = [0, 1].map(() => memoryHost({ log, lanes: createLaneLog(log, options) }));
    await runDocument(hosts[0]!, SUMS, { name: `wf.first${seed}.items`, input: [] });
    await forgetSegment(hosts[0]!, `wf.first${seed}.items`);
    const before = await log.admin.list();
    const chance = 0.01;
    log.faults.set({
      lateMs: 20,
      chances: {
        'lost-answer': chance,
        'lost-request': chance,
        abort: 0.05,
        'late-markers': 0.2,
        'late-answer': 0.02,
      },
    });
    let stopped = 0;
    const runs = Array.from({ length: 24 }, async (_, run) => {
      const name = `wf.s${seed}-${run}.items`;
      for (let tries = 0; tries < 60; tries++) {
        const stop = new AbortController();
        const cancelStop =
          random.next() < 0.5 ? systemClock.after(randomInt(random, 150), () => stop.abort()) : () => {};
        try {
          const host = hosts[randomInt(random, 2)]!;
          const { how, outputs } = await runDocument(host, SUMS, { name, input: itemsOf(run), stop: stop.signal });
          if (how === 'complete') return outputs['all.out'] as Json;
          stopped++;
        } catch (thrown) {
          // a run whose log has failed is tried again, as the control plane does
          if (!isFlowError(thrown)) throw thrown;
        } finally {
          cancelStop();
        }
      }
      return 'never';
    });
    assert.deepEqual(
      await Promise.all(runs),
      runs.map((_, run) => sumsOf(run)),
      `seed ${seed}`,
    );
    assert.ok(stopped > 0);
    const { fired } = log.faults;
    assert.ok(fired.abort > 0 && fired['lost-answer'] > 0 && fired['late-markers'] > 0, JSON.stringify(fired));
    log.faults.set({});
    for (const run of runs.keys()) await forgetSegment(hosts[run % 2]!, `wf.s${seed}-${run}.items`);
    assert.deepEqual(await topicsOfRuns(hosts[0]!), []);
    assert.deepEqual(await log.admin.list(), before);
    await log.close();
  }
});
