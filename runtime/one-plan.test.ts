import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { isFlowError } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { createMemoryLog, type MemoryLog } from '../log/memory/memory.ts';
import { json, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { topic, topology } from '../topology/topology.ts';
import { stickyAssignor } from './assign.ts';
import { onePlan } from './one-plan.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const member = (name: string, metadata: string, ...owned: readonly string[]) => ({ member: name, metadata, owned });
const tasks = ['t0', 't1', 't2'];

test('whoever is at work stays; members of another plan are turned away, whoever assigns', () => {
  const members = [member('a', 'new'), member('b', 'old', 't0', 't1'), member('c', 'old', 't2'), member('d', 'old')];
  const byOld = onePlan('old', stickyAssignor(tasks))(members);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => byOld.get(name)!.tasks.length),
    [1, 1, 1, 1],
  );
  assert.deepEqual([...byOld.values()].flatMap((given) => given.tasks).sort(), ['!other-plan', ...tasks]);
  const byNew = onePlan('new', stickyAssignor(['n0']))(members);
  assert.deepEqual(
    [...byNew].map(([name, given]) => [name, given.tasks]),
    [
      ['a', ['!other-plan']],
      ['b', ['t0', 't1']],
      ['c', ['t2']],
      ['d', []],
    ],
  );
});

test('where nobody is at work, the plan of who assigns holds', () => {
  const members = [member('a', 'one', '!other-plan'), member('b', 'two')];
  assert.deepEqual(onePlan('two', stickyAssignor(tasks))(members).get('a')?.tasks, ['!other-plan']);
  assert.deepEqual(onePlan('one', stickyAssignor(tasks))(members).get('a')?.tasks, tasks);
});

const orders = topic('orders', { key: string(), value: json(), partitions: 2 });
const out = topic('out', { key: string(), value: json(), partitions: 2 });

function start(log: MemoryLog, keep: boolean) {
  const shop = topology('shop');
  const stream = shop.stream(orders).filter(() => keep);
  (keep ? stream : stream.mapValues((value) => value)).to(out);
  return startRun({
    program: shop.build(),
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: DEFAULT_SETTINGS,
  });
}

test('a second topology under the name of one that runs is refused, and the first goes on', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create('orders', { partitions: 2 });
  const first = await start(log, true);
  const second = await start(log, false);
  await assert.rejects(
    second.finished,
    (thrown) =>
      isFlowError(thrown, 'plan.mismatch') && /another topology is running under the name shop/.test(thrown.message),
  );
  const group = (await log.admin.groups()).find(({ group }) => group === 'shop')!;
  assert.equal(group.members.length, 1);
  assert.equal([...group.tasks.values()].flat().length, 2);
  await first.drain();
  const after = await start(log, false);
  await after.drain();
  await log.close();
});
