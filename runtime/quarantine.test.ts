import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { Counting, PARTITIONS, type Poisoned, poisonedLog } from './poisoned.fixture.ts';
import type { Run } from './runtime.ts';

interface Setup {
  readonly counting: Counting;
  readonly poisoned: Poisoned;
  readonly clock: VirtualClock;
  /** Records to every partition, and some time. */
  round(): Promise<void>;
  pass(ms: number): Promise<void>;
}

async function setUp(directory?: string): Promise<Setup> {
  const clock = new VirtualClock(1_700_000_000_000);
  const poisoned = poisonedLog(createMemoryLog({ clock, random: seededRandom(1) }));
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 10) {
      clock.advance(10);
      for (let turn = 0; turn < 4; turn++) await clock.turn();
      // a disk takes its time
      if (directory !== undefined) await systemClock.sleep(1);
    }
  };
  const counting = new Counting('poison', poisoned.log, clock, () => pass(10), directory);
  await poisoned.log.admin.create(counting.input, { partitions: PARTITIONS });
  const round = async () => {
    for (let partition = 0; partition < PARTITIONS; partition++) await counting.write(partition);
    await pass(50);
  };
  return { counting, poisoned, clock, round, pass };
}

async function drained(run: Run, { pass }: Setup): Promise<void> {
  let over = false;
  const draining = run.drain().finally(() => {
    over = true;
  });
  while (!over) await pass(10);
  await draining;
}

const isApart = (run: Run, ...tasks: readonly string[]) => run.progress().quarantined.join() === tasks.join();

for (const [guarantee, where] of [
  ['exactly-once', 'its changelog'],
  ['exactly-once', 'its output'],
  ['at-least-once', 'its changelog'],
] as const) {
  test(`${guarantee}: a task that cannot write to ${where}, time and again, is set apart, the others go on, and it comes back`, {
    timeout: 120_000,
  }, async () => {
    const all = await setUp();
    const { counting, poisoned, round } = all;
    const run = await counting.start({ guarantee });
    await round();
    await counting.untilCounted(0, 1, 2);

    poisoned.refused.add(where === 'its output' ? `${counting.name}-out/1` : counting.changelog(1));
    await counting.until('it is set apart', () => isApart(run, counting.task(1)), round);
    assert.equal(counting.metric('nodeflow_task_quarantined', 1), 1);
    assert.equal(counting.metric('nodeflow_quarantines_total', 1), 1);
    assert.equal(counting.metric('nodeflow_quarantines_total', 0), undefined);
    // it goes on failing, and the others go on
    const fired = poisoned.fired;
    for (let i = 0; i < 40; i++) await round();
    assert.ok(poisoned.fired > fired + 1, `${poisoned.fired - fired} more failures`);
    assert.ok(isApart(run, counting.task(1)), run.progress().quarantined.join());
    await counting.untilCounted(0, 2);
    assert.equal(await counting.isCounted(1), false);
    if (guarantee === 'exactly-once') {
      await counting.assertCounted(1);
      assert.deepEqual((await counting.counted()).get('k1'), [1]);
      assert.deepEqual([...new Set(poisoned.ids.map((id) => id?.split('-').at(-1)))].sort(), [
        'data',
        'quarantine',
        undefined,
      ]);
    }

    poisoned.refused.clear();
    await counting.until('it comes back', () => isApart(run), round);
    assert.equal(counting.metric('nodeflow_task_quarantined', 1), undefined);
    for (let i = 0; i < 5; i++) await round();
    await counting.untilCounted(0, 1, 2);
    if (guarantee === 'exactly-once') await counting.assertCounted();
    await drained(run, all);
    await poisoned.log.close();
  });
}

test('where nothing can be written at all, nobody is set apart; and what fails once or twice is not', {
  timeout: 120_000,
}, async () => {
  const all = await setUp();
  const { counting, poisoned, round } = all;
  const run = await counting.start();
  await round();
  for (let partition = 0; partition < PARTITIONS; partition++) poisoned.refused.add(counting.changelog(partition));
  for (let i = 0; i < 40; i++) await round();
  assert.ok(poisoned.fired > 5, `${poisoned.fired} failures`);
  assert.deepEqual(run.progress().quarantined, []);
  poisoned.refused.clear();
  await counting.untilCounted(0, 1, 2);
  await counting.assertCounted();
  assert.deepEqual(run.progress().quarantined, []);
  await drained(run, all);
  await poisoned.log.close();
});

test('two that are set apart commit one at a time; a run is stopped and goes on, and ends what was open', {
  timeout: 120_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-quarantine-'));
  try {
    const all = await setUp(directory);
    const { counting, poisoned, round } = all;
    const run = await counting.start();
    poisoned.refused.add(counting.changelog(0)).add(counting.changelog(2));
    await counting.until('both are set apart', () => run.progress().quarantined.length === 2, round);
    poisoned.refused.delete(counting.changelog(0));
    for (let i = 0; i < 20; i++) await round();
    await counting.untilCounted(0, 1);
    await counting.assertCounted(2);
    // what the others do again does not touch what is open here
    poisoned.refused.clear();
    await counting.untilCounted(0, 1, 2);
    const opened = () => poisoned.ids.filter((id) => id?.endsWith('quarantine')).length;
    const [times, before] = [opened(), poisoned.fired];
    poisoned.refusedOnce.add(counting.changelog(1));
    await counting.until('another task fails once', () => poisoned.fired > before, round);
    await round();
    await counting.untilCounted(0, 1, 2);
    assert.equal(opened(), times);
    await drained(run, all);

    // as by a process that was killed in an epoch of a task that was set apart
    const slot = JSON.parse(readFileSync(join(directory, 'poison', '0', 'slot.json'), 'utf8')) as { id: string };
    const left = await poisoned.log.producer({ transactionalId: `poison-${slot.id}-0-quarantine` });
    left.begin();
    await left.append(counting.input, 2, counting.batch(2));
    const again = await counting.start();
    await assert.rejects(left.commit(), (thrown: unknown) => isFlowError(thrown, 'log.fenced'));
    await round();
    await counting.untilCounted(0, 1, 2);
    await counting.assertCounted();
    assert.deepEqual(again.progress().quarantined, []);
    await drained(again, all);
    await poisoned.log.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a task that cannot be opened is tried again, ever more seldom, and keeps nobody back', {
  timeout: 120_000,
}, async () => {
  const all = await setUp();
  const { counting, poisoned, round } = all;
  const first = await counting.start();
  for (let i = 0; i < 3; i++) await round();
  await drained(first, all);
  poisoned.silent.add(counting.changelog(1));
  const run = await counting.start();
  for (let i = 0; i < 100; i++) await round();
  await counting.untilCounted(0, 2);
  await counting.assertCounted(1);
  assert.deepEqual((await counting.counted()).get('k1'), [1, 2, 3]);
  assert.equal(run.health().ready, false);
  assert.ok(poisoned.fired > 4 && poisoned.fired < 14, `${poisoned.fired} tries`);
  assert.equal(counting.metric('nodeflow_task_open_failures_total', 1), poisoned.fired);
  poisoned.silent.clear();
  await counting.untilCounted(0, 1, 2);
  await counting.assertCounted();
  assert.equal(run.health().ready, true);
  await drained(run, all);
  await poisoned.log.close();
});
