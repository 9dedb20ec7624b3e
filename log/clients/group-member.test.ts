import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { refuses } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from '../kafka/kafka.ts';
import { createKafkaJsLog } from '../kafkajs/kafkajs.ts';
import type { Assign, GroupIdentity, Log, LogProducer, MemberOptions } from '../log.ts';

const DRIVERS = {
  kafka: { create: createKafkaLog, transactional: true, knowsGivenId: true },
  // the library tells the id only when the round is over
  kafkajs: { create: createKafkaJsLog, transactional: false, knowsGivenId: false },
} as const;

const brokers = await testBrokers();
if (brokers !== undefined) {
  for (const [driver, { create, transactional, knowsGivenId }] of Object.entries(DRIVERS)) {
    test(`${driver}: while a member gives up a task, another log commits for it under the generation of that round`, {
      timeout: 240_000,
    }, async () => {
      const open = () => create({ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) });
      const [joined, other] = await Promise.all([open(), open()]);
      const group = `renewed-${driver}-${process.pid}-${systemClock.now()}`;
      const topic = `${group}-input`;
      await joined.admin.create(topic, { partitions: 1 });
      const producer = await other.producer(transactional ? { transactionalId: group } : {});
      const send = (by: LogProducer, identity: GroupIdentity, position: number) =>
        by.sendPositions(identity, [{ topic, partition: 0, position, metadata: '' }]);
      const share: Assign = (members) =>
        new Map(
          members.map(({ member }, at) => [
            member,
            { tasks: members.length > 1 ? [`t${at}`] : ['t0', 't1'], metadata: '' },
          ]),
        );
      const renewed: GroupIdentity[] = [];
      let assigned: GroupIdentity | undefined;
      let refused: unknown;
      const options: MemberOptions = {
        ...{ group, name: 'member', metadata: '', assign: share },
        onAssign: ({ member, generation }) => {
          assigned = { group, member, generation };
        },
        async onRevoke() {
          if (transactional) producer.begin();
          refused = await send(producer, assigned!, 1).catch((thrown: unknown) => thrown);
          await send(producer, renewed.at(-1)!, 2);
          if (transactional) await producer.commit();
        },
        onRenew: (identity) => void renewed.push(identity),
        onLost: () => undefined,
      };
      const one = await joined.join(options);
      const before = one.identity;
      const two = await joined.join({
        ...options,
        onAssign: () => undefined,
        onRevoke: async () => undefined,
        onRenew: () => assert.fail('it has nothing to go on with'),
      });
      assert.ok(isFlowError(refused, 'log.generation'), String(refused));
      assert.equal(renewed.length, 1);
      assert.equal(renewed[0]!.member, before.member);
      assert.ok(renewed[0]!.generation > before.generation);
      assert.deepEqual(await other.committed(group, [{ topic, partition: 0 }]), [{ position: 2, metadata: '' }]);
      await producer.close();
      await Promise.all([one.leave(), two.leave()]);
      await Promise.all([joined.close(), other.close()]);
    });

    test(`${driver}: a log that is closed while a member joins refuses the join, and the group is rid of the member`, {
      timeout: 240_000,
    }, async (t) => {
      const open = () => create({ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) });
      const logs = await Promise.all([open(), open(), open()]);
      t.after(() => Promise.all(logs.map((log) => log.close())));
      const [holding, rounds, waiting] = logs;
      const group = `left-${driver}-${process.pid}-${systemClock.now()}`;
      const members = async () => (await holding.admin.groups()).find((one) => one.group === group)?.members ?? [];
      const asked = Promise.withResolvers<void>();
      const given = Promise.withResolvers<void>();
      const options: MemberOptions = {
        ...{ group, name: 'member', metadata: '', onAssign: () => undefined, onLost: () => undefined },
        assign: (all) =>
          new Map(all.map(({ member }, at) => [member, { tasks: [`t${all.length}${at}`], metadata: '' }])),
        onRevoke() {
          asked.resolve();
          return given.promise;
        },
      };
      const holder = await holding.join(options);
      const closing = async (log: Log, joining: Promise<unknown>, isRid = true) => {
        const began = systemClock.monotonic();
        const refused = refuses('log.closed', joining);
        await log.close();
        assert.match(await refused, new RegExp(group));
        assert.ok(systemClock.monotonic() - began < 30_000, 'it waits for no member');
        if (isRid) assert.deepEqual(await members(), [holder.identity.member]);
      };

      const another = rounds.join(options);
      await asked.promise;
      await closing(rounds, another);

      const newcomer = waiting.join(options);
      while ((await members()).length < 2) await systemClock.sleep(10);
      await closing(waiting, newcomer, knowsGivenId);

      given.resolve();
      await holder.leave();
    });
  }
}
