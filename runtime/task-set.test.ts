import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import type { Feed } from './feed.ts';
import { Placement } from './placement.ts';
import type { RunningTask } from './running-task.ts';
import { TaskSet } from './task-set.ts';
import { Wake } from './wake.ts';

const identity = { group: 'g', member: 'm', generation: 1 };

/** Tasks that open when they are told to, or end when nobody waits for them; they close when no store is written. */
function setUp(idle = Promise.resolve()) {
  const clock = new VirtualClock();
  const placement = new Placement(clock);
  const opening = new Map<string, () => void>();
  const done: string[] = [];
  const feed: Partial<Feed> = { add: () => undefined, remove: () => undefined };
  const tasks = new TaskSet({
    placement,
    clock,
    passes: () => false,
    feed: feed as Feed,
    wake: new Wake(clock),
    observer: undefined,
    open: (id, signal) =>
      new Promise((resolve, reject) => {
        const running: unknown = {
          task: { id, records: 0, open() {} },
          close: async () => void done.push(`closed ${id}`),
          discard: async () => void done.push(`discarded ${id}`),
        };
        opening.set(id, () => resolve(running as RunningTask));
        signal.addEventListener('abort', () => {
          done.push(`given up ${id}`);
          reject(new Error('nobody waits'));
        });
      }),
    idle: () => idle,
    isEnded: () => false,
    onFailure: (failure) => assert.fail(String(failure)),
  });
  const turns = async () => {
    for (let i = 0; i < 3; i++) await clock.turn();
  };
  return { placement, tasks, opening, done, turns };
}

test('what is not its own any more is closed, and given up where it was still being opened', async () => {
  const { placement, tasks, opening, done, turns } = setUp();
  placement.offer(identity, ['a', 'b', 'c']);
  tasks.openMissing();
  opening.get('a')!();
  await turns();
  assert.deepEqual([...tasks.running.keys()], ['a']);
  placement.offer(identity, ['c']);
  await tasks.closeOthers();
  assert.deepEqual(done, ['given up b', 'closed a']);
  opening.get('c')!();
  await turns();
  assert.deepEqual([...tasks.running.keys()], ['c']);
  assert.equal(tasks.complete, true);
  placement.offer(identity, ['b', 'c']);
  tasks.openMissing();
  opening.get('b')!();
  await turns();
  assert.equal(tasks.complete, true);
});

test('where all is discarded, nothing is being opened any more', async () => {
  const { placement, tasks, opening, done, turns } = setUp();
  placement.offer(identity, ['a', 'b']);
  tasks.openMissing();
  opening.get('a')!();
  await turns();
  await tasks.discardAll();
  assert.deepEqual(done, ['given up b', 'discarded a']);
  assert.equal(tasks.running.size, 0);
});

test('while a task is being closed beside the loop, nothing else of it is opened, and whoever closes it again waits', async () => {
  let written = () => {};
  const { placement, tasks, opening, done, turns } = setUp(
    new Promise((resolve) => {
      written = resolve;
    }),
  );
  placement.offer(identity, ['a']);
  tasks.openMissing();
  opening.get('a')!();
  await turns();
  placement.offer(identity, []);
  const closing = tasks.close('a');
  assert.deepEqual([...tasks.running.keys()], []);
  const others = tasks.closeOthers().then(() => done.push('nothing open'));
  opening.clear();
  placement.offer(identity, ['a']);
  tasks.openMissing();
  await turns();
  assert.deepEqual([...opening.keys()], []);
  assert.deepEqual(done, []);
  written();
  await Promise.all([closing, others]);
  assert.deepEqual(done, ['closed a', 'nothing open']);
  tasks.openMissing();
  opening.get('a')!();
  await turns();
  assert.equal(tasks.complete, true);
});
