import { after } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { logConformance } from '../log.conformance.ts';
import { createKafkaLog } from './kafka.ts';
import { KAFKA_LEFT_OUT } from './left-out.fixture.ts';
import { prefixed } from './prefixed.fixture.ts';

// Brokers look every ten seconds for transactions past their timeout, and take no session below six seconds; cases
// wait for both.
const set = {
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100,
  'group.min.session.timeout.ms': 100,
};
const brokers = await testBrokers({ set });
after(() => brokers?.close());
const run = `c${process.pid}-${systemClock.now()}`;
let cases = 0;

if (brokers !== undefined) {
  const open = async () => {
    const clock = systemClock;
    const log = await createKafkaLog({ brokers: brokers.addresses.brokers, clock, random: seededRandom(++cases) });
    return { log: prefixed(log, `${run}-${cases}-`), clock, close: () => log.close() };
  };
  logConformance('kafka', open, { leftOut: KAFKA_LEFT_OUT });
}
