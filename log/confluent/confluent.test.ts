import { after } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { confluentLibrary } from '../../integration-tests/support/confluent.ts';
import { prefixed } from '../kafka/prefixed.fixture.ts';
import { logConformance } from '../log.conformance.ts';
import { createConfluentLog } from './confluent.ts';
import { CONFLUENT_LEFT_OUT } from './left-out.fixture.ts';

// Brokers look every ten seconds for transactions past their timeout; a case waits for one.
const libraryFrom = await confluentLibrary();
const brokers = await testBrokers({ set: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100 } });
after(() => brokers?.close());
const run = `f${process.pid}-${systemClock.now()}`;
let cases = 0;

if (brokers !== undefined && libraryFrom !== undefined) {
  const open = async () => {
    const clock = systemClock;
    const random = seededRandom(++cases);
    const log = await createConfluentLog({ brokers: brokers.addresses.brokers, clock, random, libraryFrom });
    return { log: prefixed(log, `${run}-${cases}-`), clock, close: () => log.close() };
  };
  logConformance('confluent', open, { leftOut: CONFLUENT_LEFT_OUT });
}
