import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from './clock.ts';
import { Deadline } from './deadline.ts';

/** A virtual clock that counts the timers that are set. */
class CountingClock extends VirtualClock {
  timers = 0;

  override after(ms: number, task: () => void): () => void {
    this.timers++;
    return super.after(ms, task);
  }
}

function setUp() {
  const clock = new CountingClock();
  const due: number[] = [];
  const deadline = new Deadline(clock, () => due.push(clock.now()));
  return { clock, due, deadline };
}

test('it is due once, at its time', () => {
  const { clock, due, deadline } = setUp();
  deadline.set(50);
  clock.advance(49);
  assert.deepEqual(due, []);
  clock.advance(200);
  assert.deepEqual(due, [50]);
  assert.equal(clock.nextTimer(), undefined);
});

test('later deadlines take the timer over, which is set again for the rest', () => {
  const { clock, due, deadline } = setUp();
  for (let wait = 0; wait < 40; wait++) {
    deadline.set(50);
    clock.advance(1);
    deadline.clear();
  }
  assert.equal(clock.timers, 1);
  deadline.set(50);
  clock.advance(500);
  assert.deepEqual(due, [90]);
  assert.equal(clock.timers, 2);
});

for (const { title, before, next, advanced } of [
  { title: 'an earlier deadline is met at its time, and no other then', before: 50, next: 10, advanced: 500 },
  {
    title: 'fractions of time neither bring it forward nor keep the clock from moving',
    before: 0.1,
    next: 0.3,
    advanced: 1,
  },
]) {
  test(title, () => {
    const { clock, due, deadline } = setUp();
    deadline.set(before);
    deadline.clear();
    deadline.set(next);
    clock.advance(advanced);
    assert.deepEqual(due, [next]);
  });
}

test('the timer fires in vain where nobody waits', () => {
  const { clock, due, deadline } = setUp();
  deadline.set(50);
  deadline.clear();
  clock.advance(50);
  assert.deepEqual(due, []);
  assert.equal(clock.nextTimer(), undefined);
  deadline.set(50);
  clock.advance(50);
  assert.deepEqual(due, [100]);
});

test('closed, it leaves no timer', () => {
  const { clock, due, deadline } = setUp();
  deadline.set(50);
  deadline.close();
  assert.equal(clock.nextTimer(), undefined);
  clock.advance(50);
  assert.deepEqual(due, []);
});
