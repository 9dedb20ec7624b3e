import assert from 'node:assert/strict';
import type { Assign } from '../log.ts';
import { batch, type LogCase, refuses } from './bench.conformance.ts';

const INPUT = { topic: 'input', partition: 0 };

/** Deals four tasks out in turn. */
const deal: Assign = (members) =>
  new Map(
    members.map(({ member }, at) => {
      const tasks = [0, 1, 2, 3].filter((task) => task % members.length === at).map(String);
      return [member, { tasks, metadata: `${members.length} members` }];
    }),
  );

export const GROUP_CASES: readonly LogCase[] = [
  {
    name: 'groups: a join resolves with the first assignment known, made by our own assignor',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 1 });
      const seen: string[][] = [];
      const { member, assignments } = await join({
        group: 'g',
        name: 'alpha',
        metadata: 'about me',
        assign: (members) => {
          seen.push(members.map(({ metadata }) => metadata));
          return new Map(members.map(({ member }) => [member, { tasks: ['t1', 't2'], metadata: 'about them' }]));
        },
      });
      assert.equal(assignments.length, 1);
      assert.deepEqual(assignments[0]?.tasks, ['t1', 't2']);
      assert.equal(assignments[0]?.metadata, 'about them');
      assert.equal(assignments[0]?.member, member.identity.member);
      assert.equal(assignments[0]?.generation, member.identity.generation);
      assert.match(member.identity.member, /alpha/);
      assert.deepEqual(seen.at(-1), ['about me']);
      await member.leave();
    },
  },
  {
    name: 'groups: a second member raises the generation; who loses tasks is asked for them first, and keeps the others',
    async run({ join, until }) {
      const one = await join({ group: 'g', name: 'a', assign: deal });
      assert.deepEqual(one.assignments.at(-1)?.tasks, ['0', '1', '2', '3']);
      const before = one.member.identity.generation;
      const two = await join({ group: 'g', name: 'b', assign: deal });
      await until('the new assignment of the first', () => one.member.identity.generation > before);
      assert.deepEqual(one.revoked, [['1', '3']]);
      assert.deepEqual(one.assignments.at(-1)?.tasks, ['0', '2']);
      assert.equal(one.assignments.at(-1)?.metadata, '2 members');
      assert.equal(one.member.identity.generation, two.member.identity.generation);
      const all = [...one.assignments.at(-1)!.tasks, ...two.assignments.at(-1)!.tasks].sort();
      assert.deepEqual(all, ['0', '1', '2', '3']);
      await two.member.leave();
      await until('all tasks back', () => one.assignments.at(-1)?.tasks.length === 4);
      await one.member.leave();
    },
  },
  {
    name: 'groups: a new assignment waits until the old owner has revoked',
    async run({ join, until, open }) {
      let finish = (): void => undefined;
      const one = await join({
        group: 'g',
        name: 'a',
        assign: deal,
        onRevoke: () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
      });
      let joined = false;
      const joining = join({ group: 'g', name: 'b', assign: deal }).then((member) => {
        joined = true;
        return member;
      });
      const before = one.assignments.length;
      for (let i = 0; i < 20; i++) await open.clock.turn();
      assert.ok(!joined && one.assignments.length === before);
      await until('the call to revoke', () => {
        finish();
        return joined;
      });
      const two = await joining;
      await one.member.leave();
      await two.member.leave();
    },
  },
  {
    name: 'groups: rejoin with other metadata reaches the assignor and all members',
    async run({ join, until }) {
      const assign: Assign = (members) =>
        new Map(members.map(({ member, metadata }) => [member, { tasks: [metadata], metadata: `of ${metadata}` }]));
      const one = await join({ group: 'g', metadata: 'v1', assign });
      const before = one.member.identity.generation;
      one.member.rejoin('v2');
      await until('the new assignment', () => one.assignments.at(-1)?.tasks[0] === 'v2');
      assert.ok(one.member.identity.generation > before);
      assert.equal(one.assignments.at(-1)?.metadata, 'of v2');
      await one.member.leave();
    },
  },
  {
    name: 'groups: metadata described anew asks for no assignment, and reaches the assignor with the next one',
    async run({ join, until, open }) {
      const seen: string[][] = [];
      const assign: Assign = (members) => {
        seen.push(members.map(({ metadata }) => metadata).sort());
        return deal(members);
      };
      const one = await join({ group: 'g', name: 'a', metadata: 'v1', assign });
      const before = one.member.identity.generation;
      one.member.describe('v2');
      for (let i = 0; i < 20; i++) await open.clock.turn();
      assert.equal(one.member.identity.generation, before);
      assert.deepEqual(seen, [['v1']]);
      const two = await join({ group: 'g', name: 'b', metadata: 'w', assign });
      await until('the new assignment', () => one.assignments.at(-1)?.tasks.length === 2);
      assert.deepEqual(seen.at(-1), ['v2', 'w']);
      await two.member.leave();
      await one.member.leave();
    },
  },
  {
    name: 'groups: input positions become visible with the commit of their transaction, with their metadata',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 2 });
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({ transactionalId: 't' });
      const other = { topic: 'input', partition: 1 };
      assert.deepEqual(await log.committed('g', [INPUT, other]), [undefined, undefined]);
      producer.begin();
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 7, metadata: 'note' }]);
      await producer.commit();
      assert.deepEqual(await log.committed('g', [INPUT, other]), [{ position: 7, metadata: 'note' }, undefined]);
      await member.leave();
    },
  },
  {
    name: 'groups: input positions of an aborted transaction never count',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 1 });
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 3, metadata: '' }]);
      await producer.commit();
      producer.begin();
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 9, metadata: '' }]);
      await producer.abort();
      assert.deepEqual(await log.committed('g', [INPUT]), [{ position: 3, metadata: '' }]);
      await member.leave();
    },
  },
  {
    name: 'groups: committed waits while an open transaction holds one of the positions',
    async run({ log, join, open }) {
      await log.admin.create('input', { partitions: 2 });
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 5, metadata: '' }]);
      let answered = false;
      const waiting = log.committed('g', [INPUT]).then((answer) => {
        answered = true;
        return answer;
      });
      assert.deepEqual(await log.committed('g', [{ topic: 'input', partition: 1 }]), [undefined]);
      for (let i = 0; i < 10; i++) await open.clock.turn();
      assert.equal(answered, false);
      await producer.commit();
      assert.deepEqual(await waiting, [{ position: 5, metadata: '' }]);
      await member.leave();
    },
  },
  {
    name: 'groups: positions of a stale generation, or of a member that left, are refused',
    async run({ log, join, until }) {
      await log.admin.create('input', { partitions: 1 });
      const one = await join({ group: 'g', name: 'a' });
      const stale = one.member.identity;
      const two = await join({ group: 'g', name: 'b' });
      await until('the new generation', () => one.member.identity.generation > stale.generation);
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      const positions = [{ ...INPUT, position: 1, metadata: '' }];
      await refuses('log.generation', producer.sendPositions(stale, positions));
      await producer.sendPositions(one.member.identity, positions);
      await producer.abort();
      await two.member.leave();
      producer.begin();
      await refuses('log.generation', producer.sendPositions(two.member.identity, positions));
      await producer.abort();
      assert.deepEqual(await log.committed('g', [INPUT]), [undefined]);
      await one.member.leave();
    },
  },
  {
    name: 'groups: appends and input positions of one transaction count together',
    async run({ log, join, values, shows }) {
      await log.admin.create('input', { partitions: 1 });
      await log.admin.create('output', { partitions: 1 });
      const { member } = await join({ group: 'g' });
      const first = await log.producer({ transactionalId: 't' });
      first.begin();
      await first.append('output', 0, batch('a=1'));
      await first.sendPositions(member.identity, [{ ...INPUT, position: 1, metadata: '' }]);
      const second = await log.producer({ transactionalId: 't' });
      assert.deepEqual(await log.committed('g', [INPUT]), [undefined]);
      assert.deepEqual(await values('output'), []);
      second.begin();
      await second.append('output', 0, batch('a=2'));
      await second.sendPositions(member.identity, [{ ...INPUT, position: 1, metadata: '' }]);
      await second.commit();
      assert.deepEqual(await log.committed('g', [INPUT]), [{ position: 1, metadata: '' }]);
      await shows('output', ['2']);
      await member.leave();
    },
  },
  {
    name: 'groups: metadata over 4 KiB is refused',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 1 });
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      const position = { ...INPUT, position: 1, metadata: 'x'.repeat(4097) };
      await refuses('log.oversize', producer.sendPositions(member.identity, [position]));
      await producer.abort();
      await member.leave();
    },
  },
  {
    name: 'groups: a producer without transactions stores input positions at once; others of the group stay',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 2 });
      const other = { topic: 'input', partition: 1 };
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({});
      await producer.sendPositions(member.identity, [
        { ...INPUT, position: 3, metadata: 'm' },
        { ...other, position: 5, metadata: '' },
      ]);
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 4, metadata: 'n' }]);
      const expected = [
        { position: 4, metadata: 'n' },
        { position: 5, metadata: '' },
      ];
      assert.deepEqual(await log.committed('g', [INPUT, other]), expected);
      const large = { ...INPUT, position: 9, metadata: 'x'.repeat(4097) };
      await refuses('log.oversize', producer.sendPositions(member.identity, [large]));
      assert.deepEqual(await log.committed('g', [INPUT, other]), expected);
      await member.leave();
    },
  },
  {
    name: 'groups: without transactions too, positions of a stale generation, or of a member that left, are refused',
    async run({ log, join, until }) {
      await log.admin.create('input', { partitions: 1 });
      const one = await join({ group: 'g', name: 'a' });
      const stale = one.member.identity;
      const two = await join({ group: 'g', name: 'b' });
      await until('the new generation', () => one.member.identity.generation > stale.generation);
      const producer = await log.producer({});
      const positions = [{ ...INPUT, position: 1, metadata: '' }];
      await refuses('log.generation', producer.sendPositions(stale, positions));
      assert.deepEqual(await log.committed('g', [INPUT]), [undefined]);
      await producer.sendPositions(one.member.identity, positions);
      await two.member.leave();
      const later = [{ ...INPUT, position: 2, metadata: '' }];
      await refuses('log.generation', producer.sendPositions(two.member.identity, later));
      assert.deepEqual(await log.committed('g', [INPUT]), [{ position: 1, metadata: '' }]);
      await one.member.leave();
    },
  },
  {
    name: 'groups: groups are listed with members and positions, and deleted only when empty',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 1 });
      const { member } = await join({ group: 'g' });
      const producer = await log.producer({ transactionalId: 't' });
      producer.begin();
      await producer.sendPositions(member.identity, [{ ...INPUT, position: 2, metadata: 'm' }]);
      await producer.commit();
      const found = (await log.admin.groups()).find(({ group }) => group === 'g');
      assert.deepEqual(found?.members, [member.identity.member]);
      assert.deepEqual(found?.tasks, new Map([[member.identity.member, ['task']]]));
      assert.deepEqual(found?.positions, [{ ...INPUT, position: 2, metadata: 'm' }]);
      assert.equal(found?.generation, member.identity.generation);
      const other = { group: 'h', assign: () => new Map() };
      const beside = await join(other);
      assert.deepEqual(await log.admin.groups(['g', 'nobody', 'g']), [found]);
      await beside.member.leave();
      await refuses('log.locked', log.admin.deleteGroup('g'));
      await member.leave();
      await log.admin.deleteGroup('g');
      assert.ok(!(await log.admin.groups()).some(({ group }) => group === 'g'));
      assert.deepEqual(await log.committed('g', [INPUT]), [undefined]);
    },
  },
  {
    name: 'groups: positions are set from outside, only while there are no members; others of the group stay',
    async run({ log, join }) {
      await log.admin.create('input', { partitions: 2 });
      const other = { topic: 'input', partition: 1 };
      await log.admin.setPositions('g', [
        { ...INPUT, position: 4, metadata: 'm' },
        { ...other, position: 9, metadata: '' },
      ]);
      await log.admin.setPositions('g', [{ ...INPUT, position: 2, metadata: 'n' }]);
      const expected = [
        { position: 2, metadata: 'n' },
        { position: 9, metadata: '' },
      ];
      assert.deepEqual(await log.committed('g', [INPUT, other]), expected);
      const { member } = await join({ group: 'g' });
      await refuses('log.locked', log.admin.setPositions('g', [{ ...INPUT, position: 7, metadata: '' }]));
      assert.deepEqual(await log.committed('g', [INPUT, other]), expected);
      await member.leave();
    },
  },
  {
    name: 'closing: every later call is refused',
    async run({ log, open }) {
      await log.admin.create('input', { partitions: 1 });
      const producer = await log.producer({});
      await open.close();
      await refuses('log.closed', log.admin.list());
      await refuses('log.closed', log.producer({}));
      await refuses('log.closed', log.committed('g', [INPUT]));
      await refuses('log.closed', producer.append('input', 0, batch('a=1')));
    },
  },
];
