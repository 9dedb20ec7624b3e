import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningTask } from './running-task.ts';
import { waitMs } from './wait-ms.ts';

const NOW = 1_000_000;
const COMMIT_MS = 10;

function rest(...tasks: { readonly worked?: boolean; readonly wall?: number; readonly timed?: boolean }[]): number {
  const running = tasks.map(({ worked = false, wall = Number.POSITIVE_INFINITY, timed = false }) => {
    const task = { task: { worked, nextWall: wall }, times: timed ? {} : undefined };
    return task as unknown as RunningTask;
  });
  return waitMs(running, 4, COMMIT_MS, NOW);
}

test('a worker with nothing to do rests a second, or until a timer is due', () => {
  assert.equal(rest(), 1000);
  assert.equal(rest({}, {}), 1000);
  assert.equal(rest({}, { wall: NOW + 300.2 }), 301);
  assert.equal(rest({ wall: NOW - 5 }), 1);
});

test('it looks often whether inputs have become quiet where a task tells of its time', () => {
  assert.equal(rest({}, { timed: true }), 50);
});

test('it rests no longer than until the commit that is owed', () => {
  assert.equal(rest({ timed: true }, { worked: true }), 4);
});
