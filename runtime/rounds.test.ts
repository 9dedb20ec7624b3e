import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Rounds } from './rounds.ts';

const COMMIT_MS = 10;

class FakeTask {
  readonly task: { nextWall: number };
  readonly worked: boolean;
  readonly times: never | undefined;

  constructor({ worked = false, wall = Number.POSITIVE_INFINITY, timed = false } = {}) {
    this.task = { nextWall: wall };
    this.worked = worked;
    this.times = timed ? ({} as never) : undefined;
  }
}

type Options = ConstructorParameters<typeof FakeTask>[0];

class World {
  readonly clock = new VirtualClock(1_000_000);
  readonly running: ReadonlyMap<string, FakeTask>;
  readonly rounds = new Rounds<FakeTask>(this.clock, COMMIT_MS);

  constructor(tasks: { readonly [name: string]: Options }) {
    this.running = new Map(Object.entries(tasks).map(([name, options]) => [name, new FakeTask(options)]));
  }

  /** A turn, woken for these; answers whom it looks at, and how long the loop waits behind it. */
  turn(named?: readonly string[]): { readonly looked: 'all' | readonly string[]; readonly waits: number } {
    this.rounds.woken(named);
    const few = this.rounds.few(this.running);
    const names = few?.map((one) => [...this.running].find(([, other]) => other === one)![0]);
    const isOwed = [...this.running.values()].some(({ worked }) => worked);
    return { looked: names ?? 'all', waits: this.rounds.waitMs(few, this.running.values(), isOwed ? 4 : undefined) };
  }
}

function rest(...tasks: readonly Options[]): number {
  return new World(Object.fromEntries(tasks.map((options, i) => [String(i), options]))).turn().waits;
}

test('a worker with nothing to do rests a second, or until a timer is due', () => {
  assert.equal(rest(), 1000);
  assert.equal(rest({}, {}), 1000);
  assert.equal(rest({}, { wall: 1_000_300.2 }), 301);
  assert.equal(rest({ wall: 999_995 }), 1);
});

test('it looks often whether inputs have become quiet where a task tells of its time', () => {
  assert.equal(rest({}, { timed: true }), 50);
});

test('it rests no longer than until the commit that is owed', () => {
  assert.equal(rest({ timed: true }, { worked: true }), 4);
});

test('those alone are looked at whom all notices named, and everybody before that once', () => {
  const world = new World({ a: {}, b: {}, c: {} });
  assert.equal(world.turn(['b']).looked, 'all');
  assert.deepEqual(world.turn(['b']).looked, ['b']);
  assert.deepEqual(world.turn(['c', 'gone']).looked, ['c']);
  assert.equal(world.turn().looked, 'all');
});

test('however often others are named, everybody is looked at within a second, and where a timer is due', () => {
  const world = new World({ a: {}, b: {} });
  const looked = (until: number) => {
    for (let at = 0; at <= 2000; at += 5, world.clock.advance(5)) if (world.turn(['a']).looked === 'all') return at;
    return until;
  };
  world.turn();
  assert.equal(looked(Number.POSITIVE_INFINITY), 1000);
  world.running.get('b')!.task.nextWall = world.clock.now() + 123;
  world.turn();
  assert.equal(looked(Number.POSITIVE_INFINITY), 125);
});

test('a timer that one of the few has set counts as any other', () => {
  const world = new World({ a: {}, b: { wall: 1_000_500 } });
  assert.equal(world.turn().waits, 500);
  world.running.get('a')!.task.nextWall = world.clock.now() + 200;
  assert.deepEqual(world.turn(['a']), { looked: ['a'], waits: 200 });
  assert.deepEqual(world.turn(['b']), { looked: ['b'], waits: 200 });
});

test('where a task tells of its time, everybody is looked at', () => {
  const world = new World({ a: { timed: true }, b: {} });
  world.turn();
  assert.equal(world.turn(['a']).looked, 'all');
  assert.deepEqual(world.turn(['b']).looked, ['b']);
});
