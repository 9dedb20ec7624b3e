import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Wake } from './wake.ts';

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
  let isOver = false;
  const waiting = wake.wait(50).then(() => {
    isOver = true;
  });
  clock.advance(49);
  await clock.turn();
  assert.equal(isOver, false);
  clock.advance(1);
  await waiting;
});

test('a wait that ends at a notice does not cut the next one short', async () => {
  const clock = new VirtualClock();
  const wake = new Wake(clock);
  const noticed = wake.wait(50);
  clock.advance(20);
  wake.notify();
  await noticed;
  let isOver = false;
  const waiting = wake.wait(50).then(() => {
    isOver = true;
  });
  clock.advance(49);
  await clock.turn();
  assert.equal(isOver, false);
  clock.advance(1);
  await waiting;
});
