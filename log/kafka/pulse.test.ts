import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { Pulse } from './pulse.ts';

const BEGAN = 1_700_000_000_000;

test('what is asked and not answered for three seconds is an outage, since it was asked, until somebody answers', () => {
  const clock = new VirtualClock(BEGAN);
  const pulse = new Pulse(clock);
  clock.advance(60_000);
  assert.equal(pulse.outage, undefined, 'nothing was asked');
  pulse.asked();
  clock.advance(2000);
  pulse.missed('a:1 cannot be reached');
  assert.equal(pulse.outage, undefined);
  clock.advance(1000);
  assert.deepEqual(pulse.outage, { since: BEGAN + 60_000, reason: 'a:1 cannot be reached' });
  pulse.heard();
  assert.equal(pulse.outage, undefined);
});

test('one that answers is enough, however many do not', () => {
  const clock = new VirtualClock(BEGAN);
  const pulse = new Pulse(clock);
  for (let i = 0; i < 10; i++) {
    pulse.missed('a:1 cannot be reached');
    clock.advance(1000);
    pulse.heard();
    assert.equal(pulse.outage, undefined);
  }
});
