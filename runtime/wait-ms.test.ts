import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningTask } from './running-task.ts';
import { waitMs } from './wait-ms.ts';

const NOW = 1_000_000;
const COMMIT_MS = 10;

function rest(...tasks: { readonly worked?: boolean; readonly wall?: number }[]): number {
  const running = tasks.map(({ worked = false, wall = Number.POSITIVE_INFINITY }) => {
    return { task: { worked, nextWall: wall } } as unknown as RunningTask;
  });
  return waitMs(running, 4, COMMIT_MS, NOW);
}

test('a worker with nothing to do looks around often, or when a timer is due', () => {
  assert.equal(rest(), 50);
  assert.equal(rest({}, {}), 50);
  assert.equal(rest({}, { wall: NOW + 30.2 }), 31);
  assert.equal(rest({ wall: NOW - 5 }), 1);
});

test('it rests no longer than until the commit that is owed', () => {
  assert.equal(rest({}, { worked: true }), 4);
});
