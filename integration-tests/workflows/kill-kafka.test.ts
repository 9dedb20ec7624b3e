import { after, test } from 'node:test';
import { uniqueId } from '../../core/random.ts';
import { testBrokers } from '../support/brokers.ts';
import { killAtRandom } from './kill-at-random.ts';

const brokers = await testBrokers();
after(() => brokers?.close());

test('on Kafka too, each of 1,000 executions ends once when it is killed', {
  skip: brokers === undefined,
  timeout: 600_000,
}, async (t) => {
  await killAtRandom(t, {
    ...{ executions: 1000, kills: 3 },
    place: { brokers: brokers!.addresses.brokers, prefix: `kill-${uniqueId()}.` },
  });
});
