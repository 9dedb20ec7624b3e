import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Random, randomInt, seededRandom } from '../core/random.ts';
import { assignTasks } from './assign.ts';
import { type AssignableMember, type AssignableTask, Lags, type MemberTasks } from './assignable.ts';
import type { HeldStore } from './member-state.ts';

const ACCEPTABLE = 100;
const ROUNDS = 40;

/** A group of members whose tasks, standbys and stores follow what the assignor says, as those of an application do. */
class World {
  readonly tasks: readonly AssignableTask[];
  readonly standbys: number;
  members: AssignableMember[] = [];
  given: ReadonlyMap<string, MemberTasks> = new Map();
  /** Tasks that changed hands, and how far behind who took them was. */
  moves: { readonly task: AssignableTask; readonly lag: number }[] = [];
  readonly #ends = new Map<string, number>();
  readonly #wasNear = new Set<string>();

  constructor(random: Random, tasks: readonly AssignableTask[], standbys: number) {
    this.tasks = tasks;
    this.standbys = standbys;
    for (const { id } of tasks) this.#ends.set(id, randomInt(random, 3) === 0 ? 50 : 10_000);
  }

  join(member: string, rack: string | undefined, disk = true): void {
    this.members.push({ member, owned: [], state: { plan: 'p', instance: undefined, rack, disk, stores: new Map() } });
    this.members.sort((a, b) => (a.member < b.member ? -1 : 1));
  }

  leave(member: string): void {
    this.members = this.members.filter((each) => each.member !== member);
  }

  /** One rebalance, in two rounds where a member has to give up a task first, as the group protocol has it. */
  round(): void {
    const options = { tasks: this.tasks, standbys: this.standbys, acceptableLag: ACCEPTABLE };
    for (;;) {
      const next = assignTasks(options, this.members);
      const loses = ({ member, owned }: AssignableMember) =>
        owned.filter((task) => !next.get(member)!.tasks.includes(task));
      const isFinal = this.members.every((member) => loses(member).length === 0);
      this.members = this.members.map((member) => {
        const lost = loses(member);
        const given = next.get(member.member)!;
        if (!isFinal) return { ...member, owned: member.owned.filter((task) => !lost.includes(task)) };
        return { ...member, owned: given.tasks };
      });
      if (!isFinal) continue;
      this.#note(next);
      this.#wasNear.clear();
      const lags = new Lags(this.members);
      for (const member of this.members) {
        for (const { id } of this.tasks) {
          if (lags.of(member, id) <= ACCEPTABLE) this.#wasNear.add(`${member.member} ${id}`);
        }
      }
      this.given = next;
      this.#describe();
      return;
    }
  }

  #note(next: ReadonlyMap<string, MemberTasks>): void {
    for (const { member, state } of this.members) {
      for (const id of next.get(member)!.tasks) {
        const before = [...this.given].find(([, { tasks }]) => tasks.includes(id));
        if (before === undefined || before[0] === member) continue;
        if (!this.members.some((each) => each.member === before[0])) continue;
        const task = this.tasks.find((each) => each.id === id)!;
        this.moves.push({ task, lag: this.#ends.get(id)! - (state.stores.get(id)?.at ?? 0) });
      }
    }
  }

  /** What runs or is followed has caught up by the time of the next round; what only lies on disk falls behind. */
  #describe(): void {
    for (const [task, end] of this.#ends) this.#ends.set(task, end + 10);
    this.members = this.members.map((member) => {
      const { tasks, standbys, warmups } = this.given.get(member.member)!;
      const stores = new Map<string, HeldStore>();
      for (const [task, store] of member.state.stores) stores.set(task, { ...store, live: false });
      for (const task of [...tasks, ...standbys, ...warmups]) {
        const end = this.#ends.get(task)!;
        stores.set(task, { at: end, end, live: true });
      }
      return { ...member, state: { ...member.state, stores } };
    });
  }

  /** Tasks that run, and of which another member has a live state that has caught up. */
  covered(): readonly string[] {
    if (this.standbys === 0) return [];
    const isNear = ({ state, owned }: AssignableMember, id: string) => {
      const store = state.stores.get(id);
      return !owned.includes(id) && store?.live === true && store.end - store.at <= ACCEPTABLE;
    };
    return this.tasks
      .filter(({ id, stateful }) => stateful && this.members.some(({ owned }) => owned.includes(id)))
      .filter(({ id }) => this.members.some((member) => isNear(member, id)))
      .map(({ id }) => id);
  }

  /** Tasks of which a standby has caught up as soon as the last assignment holds. */
  coveredNow(): readonly string[] {
    return this.tasks
      .filter(({ id }) =>
        this.members.some(
          ({ member }) => this.given.get(member)!.standbys.includes(id) && this.#wasNear.has(`${member} ${id}`),
        ),
      )
      .map(({ id }) => id);
  }

  /** Rounds until nothing changes. */
  settle(): number {
    for (let rounds = 1; rounds <= ROUNDS; rounds++) {
      const before = JSON.stringify([...this.given]);
      this.round();
      if (JSON.stringify([...this.given]) === before) return rounds;
    }
    return Number.POSITIVE_INFINITY;
  }
}

function tasksOf(stages: readonly { readonly partitions: number; readonly stateful: boolean }[]): AssignableTask[] {
  return stages.flatMap(({ partitions, stateful }, s) =>
    Array.from({ length: partitions }, (_, p) => ({ id: `s${s}_${p}`, stage: `s${s}`, stateful })),
  );
}

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);

/** What must hold at any time. */
function checkAlways(world: World): void {
  const all = [...world.given.values()];
  assert.deepEqual(all.flatMap(({ tasks }) => tasks).sort(), world.tasks.map(({ id }) => id).sort());
  for (const [member, { tasks, standbys, warmups }] of world.given) {
    const held = [...tasks, ...standbys, ...warmups];
    assert.equal(new Set(held).size, held.length, `${member} holds something twice`);
    const { disk } = world.members.find((each) => each.member === member)!.state;
    if (!disk) assert.deepEqual([...standbys, ...warmups], []);
  }
  const able = world.members.filter(({ state }) => state.disk).length;
  for (const { id, stateful } of world.tasks) {
    const holders = world.members.filter(({ member }) => world.given.get(member)!.standbys.includes(id));
    const owner = world.members.find(({ member }) => world.given.get(member)!.tasks.includes(id))!;
    const warming = all.filter(({ warmups }) => warmups.includes(id)).length;
    const others = able - (owner.state.disk ? 1 : 0) - warming;
    assert.equal(holders.length, stateful ? Math.min(world.standbys, others) : 0, `standbys of ${id}`);
  }
}

/** What must hold once nothing moves any more. */
function checkSettled(world: World): void {
  const stateful = new Set(world.tasks.filter((task) => task.stateful).map(({ id }) => id));
  const all = [...world.given.values()];
  assert.ok(spread(all.map(({ tasks }) => tasks.length)) <= 1, 'tasks');
  assert.ok(spread(all.map(({ tasks }) => tasks.filter((task) => stateful.has(task)).length)) <= 1, 'stores');
  assert.ok(
    all.every(({ warmups }) => warmups.length === 0),
    'a warm-up has no end',
  );
}

const stage = fc.record({ partitions: fc.integer({ min: 1, max: 9 }), stateful: fc.boolean() });
const shape = fc.record({
  stages: fc.array(stage, { minLength: 1, maxLength: 4 }),
  standbys: fc.integer({ min: 0, max: 2 }),
  racks: fc.integer({ min: 0, max: 3 }),
  diskless: fc.boolean(),
  seed: fc.nat(),
});

test('whoever comes and goes: each task once, standbys apart from it, moves only when caught up, even in the end', () => {
  fc.assert(
    fc.property(shape, ({ stages, standbys, racks, diskless, seed }) => {
      const random = seededRandom(seed);
      const world = new World(random, tasksOf(stages), standbys);
      for (let change = 0; change < 12; change++) {
        const { members } = world;
        if (members.length === 0 || (members.length < 6 && randomInt(random, 2) === 0)) {
          const rack = racks === 0 ? undefined : `r${randomInt(random, racks)}`;
          world.join(`m${randomInt(random, 1000)}-${change}`, rack, !diskless || randomInt(random, 3) > 0);
        } else if (members.length > 1) world.leave(members[randomInt(random, members.length)]!.member);
        const wasGiven = world.given.size > 0;
        const owned = new Set(world.members.flatMap(({ owned }) => owned));
        const covered = world.covered();
        world.moves = [];
        world.round();
        checkAlways(world);
        const still = new Set(world.coveredNow());
        // where few can hold standbys, the task itself may go to the only one that did
        for (const task of covered) assert.ok(diskless || still.has(task), `${task} lost a standby that was there`);
        if (wasGiven && !diskless) {
          for (const { task, lag } of world.moves) {
            if (task.stateful && owned.has(task.id)) assert.ok(lag <= ACCEPTABLE, `${task.id} moved ${lag} behind`);
          }
        }
        if (randomInt(random, 3) === 0) continue;
        const rounds = world.settle();
        assert.ok(rounds <= 5, `${rounds} rounds`);
        checkAlways(world);
        checkSettled(world);
      }
    }),
    { seed: 7, numRuns: 400 },
  );
});

test('standbys are even, and in another rack than their task where there is one', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 2, max: 6 }), ({ stages, standbys, seed }, size) => {
      const even = new World(seededRandom(seed), tasksOf(stages), standbys);
      for (let m = 0; m < size; m++) even.join(`m${m}`, undefined);
      even.settle();
      const counts = [...even.given.values()].map((given) => given.standbys.length);
      assert.ok(spread(counts) <= 2, `standbys: ${counts}`);
      const racked = new World(seededRandom(seed), tasksOf(stages), 1);
      for (let m = 0; m < size; m++) racked.join(`m${m}`, `r${m % 2}`);
      racked.settle();
      const rackOf = new Map(racked.members.map(({ member, state }) => [member, state.rack]));
      for (const [member, given] of racked.given) {
        for (const task of given.standbys) {
          const [owner] = [...racked.given].find(([, { tasks }]) => tasks.includes(task))!;
          assert.notEqual(rackOf.get(member), rackOf.get(owner), `${task} with ${member} and ${owner}`);
        }
      }
    }),
    { seed: 8, numRuns: 300 },
  );
});

test('a task that a stranger claims is not assigned', () => {
  const world = new World(seededRandom(1), tasksOf([{ partitions: 1, stateful: true }]), 0);
  world.join('m', undefined);
  world.members = world.members.map((member) => ({ ...member, owned: ['other_9', 's0_0'] }));
  world.round();
  assert.deepEqual(world.given.get('m')?.tasks, ['s0_0']);
});

test('a member that joins warms up half of the large stores, and takes them when it has caught up', () => {
  const tasks = tasksOf([{ partitions: 4, stateful: true }]);
  const stores = new Map(tasks.map(({ id }) => [id, { at: 5000, end: 5000, live: true }]));
  const old = {
    member: 'a',
    owned: tasks.map(({ id }) => id),
    state: { plan: 'p', instance: undefined, rack: undefined, disk: true, stores },
  };
  const empty = { member: 'b', owned: [], state: { ...old.state, stores: new Map<string, HeldStore>() } };
  const options = { tasks, standbys: 0, acceptableLag: ACCEPTABLE };
  const before = assignTasks(options, [old, empty]);
  assert.equal(before.get('a')!.tasks.length, 4);
  const { warmups } = before.get('b')!;
  assert.equal(warmups.length, 2);
  for (const [at, moves] of [
    [4899, false],
    [4900, true],
  ] as const) {
    const held = new Map(warmups.map((task) => [task, { at, end: 5000, live: true }]));
    const after = assignTasks(options, [old, { ...empty, state: { ...empty.state, stores: held } }]);
    assert.deepEqual(after.get('b')!.tasks, moves ? warmups : []);
  }
});

test('small stores move at once, and those that a member still restores itself move if the other has as much', () => {
  const tasks = tasksOf([{ partitions: 2, stateful: true }]);
  const options = { tasks, standbys: 0, acceptableLag: ACCEPTABLE };
  for (const [at, end, moved] of [
    [90, 90, 1],
    [9000, 9000, 0],
    [0, 9000, 1],
    [4500, 9000, 0],
  ] as const) {
    const stores = new Map(tasks.map(({ id }) => [id, { at, end, live: true }]));
    const state = { plan: 'p', instance: undefined, rack: undefined, disk: true, stores };
    const old = { member: 'a', owned: tasks.map(({ id }) => id), state };
    const given = assignTasks(options, [old, { member: 'b', owned: [], state: { ...state, stores: new Map() } }]);
    assert.equal(given.get('b')!.tasks.length, moved, `${at} of ${end}`);
  }
});

test('a process that comes back with its stores gets the tasks whose state it has', () => {
  const tasks = tasksOf([{ partitions: 6, stateful: true }]);
  const state = { plan: 'p', instance: undefined, rack: undefined, disk: true };
  const live = (ids: readonly number[]) => new Map(ids.map((i) => [`s0_${i}`, { at: 900, end: 900, live: true }]));
  const members = [
    { member: 'a', owned: ['s0_0', 's0_1', 's0_2'], state: { ...state, stores: live([0, 1, 2]) } },
    { member: 'b', owned: ['s0_3', 's0_4', 's0_5'], state: { ...state, stores: live([3, 4, 5]) } },
  ];
  const disk = new Map(['s0_2', 's0_5'].map((id) => [id, { at: 850, end: 0, live: false }]));
  const back = { member: 'c', owned: [], state: { ...state, stores: disk } };
  const given = assignTasks({ tasks, standbys: 0, acceptableLag: ACCEPTABLE }, [...members, back]);
  assert.deepEqual(given.get('c')!.tasks, ['s0_2', 's0_5']);
});
