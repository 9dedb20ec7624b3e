import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { WarmUps } from './warm-ups.ts';

test('a member asks when all its warm-ups have caught up, and for some of them after a while', () => {
  const clock = new VirtualClock();
  const warmUps = new WarmUps(clock, 100);
  const lags = new Map<string, number>();
  const mustAsk = () => warmUps.mustAsk((task) => lags.get(task));
  assert.equal(mustAsk(), false);
  warmUps.given(['a', 'b']);
  assert.equal(mustAsk(), false, 'not open yet');
  lags.set('a', 100);
  lags.set('b', 101);
  assert.equal(mustAsk(), false);
  lags.set('b', 0);
  assert.equal(mustAsk(), true);
  warmUps.given([]);
  assert.equal(mustAsk(), false);
  lags.set('b', 5000);
  warmUps.given(['a', 'b']);
  assert.equal(mustAsk(), false);
  clock.advance(9999);
  assert.equal(mustAsk(), false);
  clock.advance(1);
  assert.equal(mustAsk(), true);
});

test('where asking changes nothing, the pauses grow; with other warm-ups it asks at once', () => {
  const clock = new VirtualClock();
  const warmUps = new WarmUps(clock, 100);
  const mustAsk = () => warmUps.mustAsk(() => 0);
  let asked = 0;
  warmUps.given(['a']);
  for (let second = 0; second < 600; second++) {
    if (mustAsk()) {
      asked++;
      warmUps.given(['a']);
    }
    clock.advance(1000);
  }
  assert.ok(asked >= 6 && asked <= 8, `asked ${asked} times in ten minutes`);
  warmUps.given(['b']);
  assert.equal(mustAsk(), true);
});
