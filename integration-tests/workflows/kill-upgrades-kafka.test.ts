import { after, test } from 'node:test';
import { uniqueId } from '../../core/random.ts';
import { testBrokers } from '../support/brokers.ts';
import { upgradeAtRandom } from './upgrade-at-random.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

test('on Kafka too, no record is lost or doubled where an engine is killed that upgrades an execution', {
  skip: brokers === undefined,
  timeout: 600_000,
}, async (t) => {
  await upgradeAtRandom(t, {
    ...{ records: 300, upgrades: 2, kills: 2, lifeMs: 3000 },
    place: { brokers: brokers!.addresses.brokers, prefix: `upgrade-${uniqueId()}.` },
  });
});
