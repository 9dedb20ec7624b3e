import assert from 'node:assert/strict';
import type { Assign } from '../log.ts';
import { type LogCase, refuses } from './bench.conformance.ts';

/** Deals four tasks out in turn, to members in order of what they say of themselves. */
const deal: Assign = (members) => {
  const order = members.map(({ metadata }) => metadata.slice(0, 1)).sort();
  const tasksOf = (metadata: string) =>
    [0, 1, 2, 3].filter((task) => task % members.length === order.indexOf(metadata.slice(0, 1))).map(String);
  return new Map(
    members.map(({ member, metadata }) => [member, { tasks: tasksOf(metadata), metadata: `to ${metadata}` }]),
  );
};
const ONE = { group: 'g', name: 'a', metadata: 'a', instanceId: 'one', assign: deal };
const TWO = { group: 'g', name: 'b', metadata: 'b', assign: deal };

/** Members that keep their place. */
export const STATIC_CASES: readonly LogCase[] = [
  {
    name: 'groups: a static member that left takes up its tasks where it left them, and nobody else is assigned anew',
    async run({ join, until }) {
      const first = await join(ONE);
      const other = await join(TWO);
      await until('two tasks each', () => first.assignments.at(-1)?.tasks.length === 2);
      const { generation } = other.member.identity;
      await first.member.leave();
      const again = await join(ONE);
      assert.deepEqual(again.assignments.at(-1)?.tasks, ['0', '2']);
      assert.equal(again.member.identity.generation, generation);
      assert.notEqual(again.member.identity.member, first.member.identity.member);
      assert.equal(other.assignments.length, 1);
      assert.deepEqual(other.revoked, []);
      await other.member.leave();
      await until('all tasks', () => again.assignments.at(-1)?.tasks.length === 4);
      await again.member.leave(true);
    },
  },
  {
    name: 'groups: a second static member of one id replaces the first, which is told, and refused from then on',
    async run({ log, join, until }) {
      await log.admin.create('input', { partitions: 1 });
      const first = await join(ONE);
      const second = await join(ONE);
      await until('the first to be told', () => first.replaced.length > 0);
      assert.match(first.replaced[0]!, /\bone\b/);
      assert.deepEqual(first.lost, []);
      assert.deepEqual(second.assignments.at(-1)?.tasks, first.assignments.at(-1)?.tasks);
      const producer = await log.producer({ transactionalId: 't' });
      const positions = [{ topic: 'input', partition: 0, position: 1, metadata: '' }];
      producer.begin();
      await refuses('log.generation', producer.sendPositions(first.member.identity, positions));
      await producer.sendPositions(second.member.identity, positions);
      await producer.commit();
      assert.deepEqual(await log.committed('g', positions), [{ position: 1, metadata: '' }]);
      await second.member.leave(true);
    },
  },
  {
    name: 'groups: a place that nobody takes up within the session is given away, and so is one that is left for good',
    async run({ join, until }) {
      const first = await join({ ...ONE, sessionTimeoutMs: 1000 });
      const other = await join(TWO);
      await first.member.leave();
      await until('the tasks of the first', () => other.assignments.at(-1)?.tasks.length === 4);
      const again = await join(ONE);
      await until('two tasks again', () => other.assignments.at(-1)?.tasks.length === 2);
      const began = other.assignments.length;
      await again.member.leave(true);
      await until('all tasks at once', () => other.assignments.at(-1)?.tasks.length === 4);
      assert.equal(other.assignments.length, began + 1);
      await other.member.leave();
    },
  },
  {
    name: 'groups: a static member that has changed is told what it was before, and asks for another assignment',
    async run({ join, until }) {
      const first = await join({ ...ONE, metadata: 'a1' });
      assert.equal(first.assignments.at(-1)?.metadata, 'to a1');
      await first.member.leave();
      const again = await join({ ...ONE, metadata: 'a2' });
      assert.equal(again.assignments.at(-1)?.metadata, 'to a1');
      again.member.rejoin('a2', []);
      await until('another assignment', () => again.assignments.at(-1)?.metadata === 'to a2');
      assert.deepEqual(again.revoked, []);
      assert.equal(again.assignments.at(-1)?.tasks.length, 4);
      await again.member.leave(true);
    },
  },
];
