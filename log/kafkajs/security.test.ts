import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import type { KafkaOptions } from '../kafka/options.ts';
import { createKafkaJsLog } from './kafkajs.ts';

const USER = 'alice';
const PASSWORD = 'alice-secret';

const brokers = await testBrokers({ secure: true });
after(() => brokers?.close());

type Options = Omit<KafkaOptions, 'clock' | 'random'>;
const open = (options: Options) => createKafkaJsLog({ ...options, clock: systemClock, random: seededRandom(1) });

/** Makes a topic, writes to it and reads it. */
async function works(options: Options): Promise<void> {
  const log = await open(options);
  const topic = `s${process.pid}-${systemClock.now()}`;
  await log.admin.create(topic, { partitions: 1 });
  const producer = await log.producer({});
  await producer.append(topic, 0, batch('a=1'));
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic, partition: 0, position: 0 }]);
  assert.equal((await readTo(reader, 0, 1)).length, 1);
  await log.close();
}

async function fails(code: ErrorCode, options: Options): Promise<void> {
  try {
    await (await open({ ...options, patienceMs: 3000 })).close();
  } catch (thrown) {
    assert.ok(isFlowError(thrown, code), String(thrown));
    assert.ok(!thrown.message.includes(PASSWORD) && !thrown.message.includes('no-secret'), 'without the secret');
    return;
  }
  assert.fail(`expected ${code}`);
}

test('a cluster that is not there is told by its address', async () => {
  await fails('kafka.unreachable', { brokers: '127.0.0.1:1' });
  await fails('config.invalid', { brokers: '' });
});

if (brokers !== undefined) {
  const { addresses } = brokers;
  const text = (path: string | undefined) => readFileSync(path!, 'utf8');
  const [ca, cert, key] = [text(addresses.ca), text(addresses.certificate), text(addresses.key)];
  const login = { username: USER, password: async () => PASSWORD };

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(`signs in by ${mechanism}`, () => works({ brokers: addresses.sasl!, sasl: { mechanism, ...login } }));
  }

  test('speaks TLS, with a certificate of its own', () => works({ brokers: addresses.ssl!, tls: { ca, cert, key } }));

  test('what does not fit is told with its kind', async () => {
    const mechanism = 'PLAIN' as const;
    await fails('kafka.credentials', {
      brokers: addresses.sasl!,
      sasl: { mechanism, username: USER, password: 'no-secret' },
    });
    await fails('kafka.security', { brokers: addresses.ssl!, tls: true });
  });
}
