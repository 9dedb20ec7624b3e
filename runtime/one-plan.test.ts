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
import { assignTasks } from './assign.ts';
import type { AssignableMember } from './assignable.ts';
import { decodeOrders, encodeState, type MemberState } from './member-state.ts';
import { checkPlan, isOfOtherPlan, onePlan } from './one-plan.ts';
import { DEFAULT_SETTINGS, startRun } from './runtime.ts';

const state = (plan: string, stores: MemberState['stores'] = new Map()) =>
  encodeState({ plan, instance: undefined, rack: undefined, disk: true, stores });
const member = (name: string, plan: string, ...owned: readonly string[]) => ({
  member: name,
  metadata: state(plan),
  owned,
});
const tasks = ['t0', 't1', 't2'];
const assignor =
  (...ids: readonly string[]) =>
  (members: readonly AssignableMember[]) =>
    assignTasks(
      { tasks: ids.map((id) => ({ id, stage: 's', stateful: false })), standbys: 0, acceptableLag: 0 },
      members,
    );

test('whoever is at work stays; members of another plan are turned away, whoever assigns', () => {
  const members = [member('a', 'new'), member('b', 'old', 't0', 't1'), member('c', 'old', 't2'), member('d', 'old')];
  const byOld = onePlan('old', assignor(...tasks))(members);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => byOld.get(name)!.tasks.length),
    [1, 1, 1, 1],
  );
  assert.deepEqual([...byOld.values()].flatMap((given) => given.tasks).sort(), ['!other-plan', ...tasks]);
  const byNew = onePlan('new', assignor('n0'))(members);
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
  assert.deepEqual(onePlan('two', assignor(...tasks))(members).get('a')?.tasks, ['!other-plan']);
  assert.deepEqual(onePlan('one', assignor(...tasks))(members).get('a')?.tasks, tasks);
});

test('what was given names the plan that its member had, turned away or not', () => {
  const members = [member('a', 'new'), member('b', 'old', 't0')];
  const identity = { group: 'shop', member: '', generation: 1 };
  for (const leads of ['old', 'new']) {
    const given = onePlan(leads, assignor(...tasks))(members);
    const isOf = (name: string, plan: string) => !isOfOtherPlan({ ...identity, ...given.get(name)! }, plan);
    assert.deepEqual([isOf('a', 'new'), isOf('a', 'old')], [true, false]);
    assert.deepEqual([isOf('b', 'old'), isOf('b', 'new')], [true, false]);
  }
});

test('while another plan is looked at, members keep their standbys', () => {
  const stores = new Map([
    ['t0', { at: 1, end: 1, live: true }],
    ['t1', { at: 1, end: 1, live: true }],
    ['t2', { at: 1, end: 1, live: false }],
  ]);
  const old = { member: 'b', metadata: state('old', stores), owned: ['t0'] };
  const given = onePlan('new', assignor('n0'))([member('a', 'new'), old]).get('b')!;
  assert.deepEqual(given.tasks, ['t0']);
  const places = new Map([['t0', 'b']]);
  assert.deepEqual(decodeOrders(given.metadata), { plan: 'old', standbys: ['t1'], warmups: [], places });
});

test('all are told who has which task, by instance id where there is one', () => {
  const named = { plan: 'p', instance: 'shop-1', rack: undefined, disk: true, stores: new Map() };
  const members = [
    { member: 'a', metadata: state('p'), owned: ['t0'] },
    { member: 'b', metadata: encodeState(named), owned: [] },
  ];
  const given = onePlan('p', assignor('t0', 't1'))(members);
  const places = new Map([
    ['t0', 'a'],
    ['t1', 'shop-1'],
  ]);
  for (const { metadata } of given.values()) assert.deepEqual(decodeOrders(metadata).places, places);
});

test('a member of another version is turned away, or turns away, in words', () => {
  const ours = member('a', 'one');
  const older = { member: 'b', metadata: '0123abcd', owned: ['t0'] };
  const newer = { member: 'c', metadata: JSON.stringify({ format: 2, plan: 'one' }), owned: [] };
  const assign = onePlan('one', assignor(...tasks));
  for (const other of [{ ...older, owned: [] }, newer]) {
    const given = assign([{ ...ours, owned: ['t0'] }, other]);
    assert.deepEqual(given.get('a')?.tasks, tasks);
    const isRefused = (thrown: unknown) => isFlowError(thrown, 'plan.mismatch') && /same version/.test(thrown.message);
    assert.throws(() => checkPlan('shop', given.get(other.member)!.tasks), isRefused);
  }
  const given = assign([ours, older, newer]);
  assert.deepEqual(given.get('b')?.tasks, ['t0']);
  assert.throws(() => checkPlan('shop', given.get('a')!.tasks), /another version of the engine .* name shop/);
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
