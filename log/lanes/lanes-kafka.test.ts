import { after } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { createKafkaLog } from '../kafka/kafka.ts';
import { prefixed } from '../kafka/prefixed.fixture.ts';
import { logConformance } from '../log.conformance.ts';
import { createLaneLog } from './lanes.ts';
import { LANES_LEFT_OUT } from './left-out.fixture.ts';

// as in the suite of the driver itself
const set = {
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100,
  'group.min.session.timeout.ms': 100,
};
const brokers = await testBrokers({ set });
after(() => brokers?.close());
const run = `l${process.pid}-${systemClock.now()}`;
let cases = 0;

if (brokers !== undefined) {
  const open = async () => {
    const clock = systemClock;
    const kafka = await createKafkaLog({ brokers: brokers.addresses.brokers, clock, random: seededRandom(++cases) });
    const below = prefixed(kafka, `${run}-${cases}-`);
    const log = createLaneLog(below, { clock, runOf: () => 'all', lanes: { topics: 2, partitions: 4 } });
    const close = async () => {
      await log.close();
      await kafka.close();
    };
    return { log, clock, close };
  };
  logConformance('lanes over kafka', open, { leftOut: LANES_LEFT_OUT });
}
