import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Wake } from './wake.ts';

/** A wait takes all of its time. */
async function lasts(clock: VirtualClock, wake: Wake, ms: number): Promise<void> {
  let isOver = false;
  const waiting = wake.wait(ms).then(() => {
    isOver = true;
  });
  clock.advance(ms - 1);
  await clock.turn();
  assert.equal(isOver, false);
  clock.advance(1);
  await waiting;
}

test('a wait ends at a notice, and leaves no timer once closed', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  const waiting = wake.wait(50);
  wake.notify();
  wake.notify();
  await waiting;
  wake.close();
  assert.equal(clock.nextTimer(), undefined);
});

test('a notice that came while nobody waited ends the next wait, and no other', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  wake.notify();
  await wake.wait(50);
  await lasts(clock, wake, 50);
});

test('a wait that ends at a notice does not cut the next one short', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  const noticed = wake.wait(50);
  clock.advance(20);
  wake.notify();
  await noticed;
  await lasts(clock, wake, 50);
});

test('a wait tells whom it ended for, where every notice has named somebody', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  wake.notify('a');
  wake.notify('b');
  wake.notify('a');
  assert.deepEqual(await wake.wait(50), ['a', 'b']);
  wake.notify('a');
  wake.notify();
  assert.equal(await wake.wait(50), undefined);
  const named = wake.wait(50);
  wake.notify('c');
  assert.deepEqual(await named, ['c']);
  const over = wake.wait(50);
  clock.advance(50);
  assert.equal(await over, undefined);
});
