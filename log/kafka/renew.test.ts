import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import type { Assign, GroupIdentity, MemberOptions } from '../log.ts';
import { createKafkaLog } from './kafka.ts';

const brokers = await testBrokers();
if (brokers !== undefined) {
  test('while a member gives up a task, another log commits for it under the generation of that round', {
    timeout: 60_000,
  }, async () => {
    const open = () =>
      createKafkaLog({ brokers: brokers.addresses.brokers, clock: systemClock, random: seededRandom(1) });
    const [joined, other] = await Promise.all([open(), open()]);
    const group = 'renewed';
    await joined.admin.create('renewed-input', { partitions: 1 });
    const position = (at: number) => [{ topic: 'renewed-input', partition: 0, position: at, metadata: '' }];
    const producer = await other.producer({ transactionalId: 'renewed' });
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
        producer.begin();
        refused = await producer.sendPositions(assigned!, position(1)).catch((thrown: unknown) => thrown);
        await producer.sendPositions(renewed.at(-1)!, position(2));
        await producer.commit();
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
    assert.deepEqual(await other.committed(group, [{ topic: 'renewed-input', partition: 0 }]), [
      { position: 2, metadata: '' },
    ]);
    await producer.close();
    await Promise.all([one.leave(), two.leave()]);
    await Promise.all([joined.close(), other.close()]);
  });
}
