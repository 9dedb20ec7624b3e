import { dirname, join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import { startProxy } from '../proxy/proxy.ts';
import { testBrokers } from '../support/brokers.ts';
import { confluentLibrary } from '../support/confluent.ts';
import type { World } from './world.ts';

/** Abandoned transactions are found sooner than by Kafka's default of 10 s. */
const SETTINGS = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000 };
const OLD = { old: { features: ['transaction.version=0'] }, repaired: {} } as const;
/** Faults are to show within a trial, not after half a minute. */
const PATIENCE_MS = 15_000;

export interface KafkaWorldOptions {
  readonly protocol?: 'old' | undefined;
  /** A release of Kafka that is not the newest. */
  readonly release?: string | undefined;
  /** By which client the job is done. Default: `kafka`. */
  readonly driver?: 'kafka' | 'confluent' | undefined;
}

/** Brokers of our own, and a proxy between them and the processes that do the job. */
export async function createKafkaWorld(
  folder: string,
  count: 1 | 3,
  { protocol, release, driver = 'kafka' }: KafkaWorldOptions = {},
): Promise<World> {
  const env = driver === 'confluent' ? await confluentHome() : {};
  let ports: readonly number[] = [];
  const gates = Array.from({ length: count }, (_, i) => ({ broker: i + 1, port: () => ports[i]! }));
  const proxy = await startProxy(systemClock, gates);
  const advertise = proxy.ports.map((port) => `127.0.0.1:${port}`);
  const brokers = await testBrokers({
    brokers: count,
    own: true,
    advertise,
    set: SETTINGS,
    ...OLD[protocol ?? 'repaired'],
    ...(release === undefined ? {} : { release }),
  });
  if (brokers === undefined) throw new Error('this machine cannot run Kafka brokers: it needs Java 17 and Maven');
  const { addresses } = brokers;
  ports = addresses.brokers.split(',').map((address) => Number(address.split(':')[1]));
  return {
    kind: 'kafka',
    shared: true,
    env,
    openLog: () =>
      createKafkaLog({
        brokers: addresses.direct!,
        clientId: 'verify',
        clock: systemClock,
        random: seededRandom(2),
        patienceMs: 120_000,
      }),
    engineFor: (run, slot) => ({
      directory: join(folder, run, `slot-${slot}`),
      log: driver,
      brokers: advertise.join(','),
      kafka: { patienceMs: PATIENCE_MS },
    }),
    stateOf: (run, slot) => join(folder, run, `slot-${slot}`, 'state'),
    proxy,
    brokers: {
      count,
      kill: (broker) => brokers.kill(broker),
      stop: (broker) => brokers.stop(broker),
      start: (broker) => brokers.start(broker),
      pause: (broker) => brokers.pause(broker),
      resume: (broker) => brokers.resume(broker),
    },
    async close() {
      await proxy.close();
      await brokers.close();
    },
  };
}

/** Where processes find the client library, which is installed beside no project. */
async function confluentHome(): Promise<{ readonly NODE_PATH: string }> {
  const beside = await confluentLibrary();
  if (beside === undefined) throw new Error('this machine cannot compile the client of the driver confluent');
  return { NODE_PATH: join(dirname(beside), 'node_modules') };
}
