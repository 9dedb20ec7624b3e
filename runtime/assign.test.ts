import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitOverWorkers, stickyAssignor } from './assign.ts';

const tasksOf = (count: number) => Array.from({ length: count }, (_, i) => `stage_${i}`);

test('every task has one member, members differ by at most one task, and owned tasks stay where they fit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.infiniteStream(fc.nat()),
      (count, size, draws) => {
        const tasks = tasksOf(count);
        const assign = stickyAssignor(tasks);
        const draw = () => draws.next().value as number;
        const owned = Array.from({ length: size }, () => [] as string[]);
        for (const task of tasks) if (draw() % 3 > 0) owned[draw() % size]!.push(task);
        const members = owned.map((list, i) => ({ member: `m${i}`, metadata: '', owned: list }));
        const assigned = assign(members);
        const all = [...assigned.values()].flatMap((given) => given.tasks);
        assert.deepEqual([...all].sort(), [...tasks].sort());
        const sizes = [...assigned.values()].map((given) => given.tasks.length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `uneven: ${sizes}`);
        for (const { member, owned: before } of members) {
          const kept = assigned.get(member)!.tasks.filter((task) => before.includes(task)).length;
          assert.ok(kept >= Math.min(before.length, Math.floor(count / size)));
        }
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

test('a task a stranger claims is not assigned', () => {
  const assigned = stickyAssignor(['a_0'])([{ member: 'm', metadata: '', owned: ['b_9', 'a_0'] }]);
  assert.deepEqual(assigned.get('m')?.tasks, ['a_0']);
});

test('workers keep their tasks and differ by at most one', () => {
  const first = splitOverWorkers(tasksOf(5), 2, new Map());
  const second = splitOverWorkers(tasksOf(6), 2, first);
  for (const [task, worker] of first) assert.equal(second.get(task), worker);
  const loads = [0, 1].map((worker) => [...second.values()].filter((each) => each === worker).length);
  assert.deepEqual(loads, [3, 3]);
});
