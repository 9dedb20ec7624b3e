import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../connectors/connectors.ts';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { readTopic } from '../integration-tests/support/read-topic.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { int64, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';
import { Trimmer } from './trimmer.ts';

const out = topic('out', { key: string(), value: int64(), partitions: 2 });

function job() {
  const app = topology('trimmed');
  app
    .read(generator({ count: 2000, make: (n) => n }), {
      name: 'made',
      key: (n) => `k${n}`,
      keySerde: string(),
      value: int64(),
      time: (n) => n,
    })
    .groupBy((n) => `g${n % 10}`, { name: 'by-last', key: string(), value: int64(), partitions: 2 })
    .count({ store: 'counts' })
    .toStream()
    .to(out);
  return app.build();
}

test('hard-places 8: repartition topics are trimmed behind the committed positions, topics of users are not', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const run = await startRun({
    program: job(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 },
  });
  assert.equal((await run.finished).how, 'complete');
  const internal = (await log.admin.list()).filter((name) => name.endsWith('.repartition'));
  assert.equal(internal.length, 1);
  const positions = (await log.admin.groups()).flatMap((group) => group.positions);
  for (let partition = 0; partition < 2; partition++) {
    const { start, end } = await log.admin.bounds(internal[0]!, partition);
    const read = positions.find((each) => each.topic === internal[0] && each.partition === partition);
    assert.ok(end > 100, `${end} records and markers`);
    assert.equal(start, read?.position, 'trimmed to where it was read');
    assert.equal((await log.admin.bounds('out', partition)).start, 0);
  }
  assert.equal((await readTopic(log, out)).length, 2000);
  await log.close();
});

test('a round comes each thirty seconds and at the end, one at a time, and one that fails is done again', async () => {
  const clock = new VirtualClock();
  const log = createMemoryLog({ clock, random: seededRandom(1) });
  const asked: string[] = [];
  let fail = true;
  const trimmer = new Trimmer({
    admin: {
      ...log.admin,
      deleteRecords: async (name, partition, before) => {
        asked.push(`${name}/${partition} ${before}`);
        if (fail) throw new FlowError('log.timeout', 'no answer');
        return before;
      },
    },
    clock,
    log: silentTelemetry().log,
    isInternal: (name) => name === 'again',
  });
  const at = (position: number) => [
    { topic: 'again', partition: 1, position },
    { topic: 'users', partition: 0, position },
  ];
  const round = async () => {
    trimmer.trim([]);
    await clock.turn();
  };
  trimmer.committed([{ positions: at(5) }]);
  await round();
  assert.deepEqual(asked, []);
  clock.advance(30_000);
  await round();
  await round();
  assert.deepEqual(asked.splice(0), ['again/1 5']);
  fail = false;
  clock.advance(30_000);
  await round();
  assert.deepEqual(asked.splice(0), ['again/1 5']);
  clock.advance(30_000);
  await round();
  assert.deepEqual(asked.splice(0), [], 'nothing new');
  trimmer.committed([{ positions: at(9) }]);
  await trimmer.close();
  assert.deepEqual(asked, ['again/1 9']);
  await log.close();
});

test('changelogs are trimmed to what tasks want, two epochs later, and not where a task was opened anew', async () => {
  const clock = new VirtualClock();
  const log = createMemoryLog({ clock, random: seededRandom(1) });
  const asked: string[] = [];
  const trimmer = new Trimmer({
    admin: {
      ...log.admin,
      deleteRecords: async (name, partition, before) => {
        asked.push(`${name}/${partition} ${before}`);
        return before;
      },
    },
    clock,
    log: silentTelemetry().log,
    isInternal: () => false,
  });
  let position = 10;
  const task = () => ({ wanted: () => [{ topic: 'rows', partition: 3, position }] });
  const round = async (running: ReturnType<typeof task>) => {
    clock.advance(30_000);
    trimmer.trim([running]);
    await clock.turn();
  };
  const first = task();
  await round(first);
  trimmer.committed([]);
  position = 20;
  await round(first);
  assert.deepEqual(asked, [], 'the epoch was perhaps cut before');
  trimmer.committed([]);
  await round(first);
  assert.deepEqual(asked.splice(0), ['rows/3 10']);
  for (let i = 0; i < 2; i++) trimmer.committed([]);
  const second = task();
  await round(second);
  assert.deepEqual(asked, [], 'the first may have lost what it did');
  for (let i = 0; i < 2; i++) trimmer.committed([]);
  await round(second);
  assert.deepEqual(asked, ['rows/3 20']);
  await log.close();
});
