import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Restores, sumOfRestores, timeLeftMs } from './restores.ts';

test('restores tell what is done and left, at which rate and for how long', () => {
  const clock = new VirtualClock();
  const restores = new Restores(clock);
  assert.equal(restores.figures(), undefined);
  restores.restoring('a_0', 'counts', 1000, 5000);
  restores.restoring('a_0', 'progress', 0, 100);
  assert.deepEqual(restores.figures(), { tasks: 1, done: 0, left: 4100, perSecond: 0 });
  assert.equal(timeLeftMs(restores.figures()!), undefined);
  clock.advance(500);
  restores.restoring('a_0', 'counts', 3000, 5000);
  const half = restores.figures()!;
  assert.deepEqual(half, { tasks: 1, done: 2000, left: 2100, perSecond: 4000 });
  assert.equal(timeLeftMs(half), 525);
  assert.deepEqual([...restores.tasks()], [{ task: 'a_0', at: 3000, end: 5100 }]);
  clock.advance(500);
  restores.restoring('a_1', 'counts', 0, 300);
  restores.ended('a_0');
  assert.deepEqual(restores.figures(), { tasks: 1, done: 2000, left: 300, perSecond: 2000 });
  restores.ended('a_1');
  assert.equal(restores.figures(), undefined);
  restores.restoring('a_2', 'counts', 0, 10);
  assert.deepEqual(restores.figures(), { tasks: 1, done: 0, left: 10, perSecond: 0 });
});

test('workers restore side by side', () => {
  assert.equal(sumOfRestores([undefined, undefined]), undefined);
  const one = { tasks: 1, done: 10, left: 20, perSecond: 5 };
  assert.deepEqual(sumOfRestores([one, undefined, one]), { tasks: 2, done: 20, left: 40, perSecond: 10 });
});
