import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import { Placement } from './placement.ts';

const identity = (generation: number) => ({ group: 'g', member: 'm', generation });

test('an epoch that the group refused goes on under a renewed identity, where its tasks were kept', async () => {
  const placement = new Placement(new VirtualClock());
  placement.renew(identity(1), ['a']);
  assert.equal(placement.identity, undefined, 'nothing was offered yet');
  placement.offer(identity(1), ['a', 'b']);
  const kept = placement.nextIdentity(identity(1), ['a']);
  const lost = placement.nextIdentity(identity(1), ['a', 'b']);
  placement.renew(identity(2), ['a', 'c']);
  assert.deepEqual(await kept, identity(2));
  assert.equal(await lost, undefined);
  assert.deepEqual(placement.tasks, ['a'], 'a task that it was not offered is not its own');
  assert.equal(placement.identityFor(['a', 'c']), undefined);
});

test('a task that was kept through a renewal is its own without interruption', () => {
  const placement = new Placement(new VirtualClock());
  placement.offer(identity(1), ['a', 'b']);
  const since = placement.since('a');
  placement.renew(identity(2), ['a']);
  assert.equal(placement.since('a'), since);
  assert.equal(placement.since('b'), undefined);
  placement.offer(identity(3), ['a', 'b']);
  assert.equal(placement.since('a'), since);
});
