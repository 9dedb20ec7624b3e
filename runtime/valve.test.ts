import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeptNumber } from '../operators/operators.ts';
import { WATERMARK_VALVE } from './time-vectors.testing.ts';
import { Valve } from './valve.ts';

class Plain implements KeptNumber {
  value = -1;

  set(value: number): void {
    this.value = value;
  }
}

function valveOf(channels: number): { readonly valve: Valve; readonly out: Plain } {
  const out = new Plain();
  return {
    valve: new Valve(
      Array.from({ length: channels }, () => new Plain()),
      out,
    ),
    out,
  };
}

for (const { id, title, script } of WATERMARK_VALVE) {
  test(`${id}: ${title}`, () => {
    const { valve, out } = valveOf(2);
    for (const step of script) {
      const idleBefore = valve.allIdle;
      if (step.wm !== undefined) valve.time(...step.wm);
      if (step.idle !== undefined) valve.idle(step.idle);
      if (step.active !== undefined) valve.active(step.active);
      const came: (number | string)[] = valve.flow() ? [out.value] : [];
      if (valve.allIdle !== idleBefore) came.push(valve.allIdle ? 'IDLE' : 'ACTIVE');
      assert.deepEqual(came, step.out, JSON.stringify(step));
    }
  });
}

test('a channel that is held counts at its last time, and holds the others back until it has caught up', () => {
  const { valve, out } = valveOf(2);
  const tell = (channel: number, at: number) => {
    valve.time(channel, at);
    valve.flow();
    return out.value;
  };
  tell(0, 10);
  valve.idle(1);
  assert.equal(tell(0, 20), 20);
  valve.hold(1);
  assert.equal(tell(0, 30), 20);
  valve.active(1);
  assert.equal(tell(1, 15), 20);
  assert.equal(tell(1, 25), 25);
});

test('time never goes back, and is never beyond a channel that has counted all along', () => {
  const happening = fc.record({
    channel: fc.nat(3),
    what: fc.constantFrom('time', 'time', 'time', 'idle', 'active', 'hold'),
    at: fc.nat(100),
  });
  fc.assert(
    fc.property(fc.array(happening), (happenings) => {
      const { valve, out } = valveOf(4);
      const told = [-1, -1, -1, -1];
      const slept = new Set<number>();
      let before = -1;
      for (const { channel, what, at } of happenings) {
        if (what === 'time') {
          if (!valve.isIdle(channel)) told[channel] = Math.max(told[channel]!, at);
          valve.time(channel, at);
        } else valve[what as 'idle'](channel);
        if (what === 'idle') slept.add(channel);
        valve.flow();
        assert.ok(out.value >= before);
        before = out.value;
        for (const [i, time] of told.entries()) if (!slept.has(i)) assert.ok(out.value <= time);
      }
    }),
    { seed: 5 },
  );
});
