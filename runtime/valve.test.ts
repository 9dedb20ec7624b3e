import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeptNumber } from '../operators/operators.ts';
import { Valve } from './valve.ts';

/** What Flink's valve lets through stands among the derived vectors. */
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
    what: fc.constantFrom(
      'time' as const,
      'time' as const,
      'time' as const,
      'idle' as const,
      'active' as const,
      'hold' as const,
    ),
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
        } else valve[what](channel);
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
