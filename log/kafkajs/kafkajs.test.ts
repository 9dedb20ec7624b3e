import { after } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { prefixed } from '../kafka/prefixed.fixture.ts';
import { logConformance } from '../log.conformance.ts';
import { createKafkaJsLog } from './kafkajs.ts';
import { KAFKAJS_LEFT_OUT } from './left-out.fixture.ts';

// Brokers look every ten seconds for transactions past their timeout; a case waits for one.
const brokers = await testBrokers({ set: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100 } });
after(() => brokers?.close());
const run = `j${process.pid}-${systemClock.now()}`;
let cases = 0;

if (brokers !== undefined) {
  const open = async () => {
    const clock = systemClock;
    const log = await createKafkaJsLog({ brokers: brokers.addresses.brokers, clock, random: seededRandom(++cases) });
    return { log: prefixed(log, `${run}-${cases}-`), clock, close: () => log.close() };
  };
  logConformance('kafkajs', open, { leftOut: KAFKAJS_LEFT_OUT });
}
