import { after } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { logConformance } from '../log.conformance.ts';
import { createKafkaLog } from './kafka.ts';
import { prefixed } from './prefixed.fixture.ts';

const brokers = await testBrokers();
after(() => brokers?.close());
const run = `c${process.pid}-${systemClock.now()}`;
let cases = 0;

if (brokers !== undefined) {
  logConformance('kafka', async () => {
    const clock = systemClock;
    const log = await createKafkaLog({ brokers: brokers.addresses.brokers, clock, random: seededRandom(++cases) });
    return { log: prefixed(log, `${run}-${cases}-`), clock, close: () => log.close() };
  });
}
