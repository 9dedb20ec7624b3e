import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from './kafka.ts';
import type { KafkaOptions } from './options.ts';
import { checkSecurity } from './security.ts';

const USER = 'alice';
const PASSWORD = 'alice-secret';
/** Sessions end so soon that each case goes through several. */
const SESSION_MS = 1500;

const brokers = await testBrokers({
  secure: true,
  set: {
    'connections.max.reauth.ms': SESSION_MS,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${USER};User:O=nodeflow tests,CN=${USER};User:CN=${USER},O=nodeflow tests`,
  },
});
after(() => brokers?.close());

type Options = Omit<KafkaOptions, 'clock' | 'random'>;
const open = (options: Options) => createKafkaLog({ ...options, clock: systemClock, random: seededRandom(1) });

/** Makes a topic, writes to it and reads it, for longer than a session lasts. */
async function works(options: Options, spanMs: number): Promise<void> {
  const log = await open(options);
  const topic = `t${systemClock.now()}`;
  await log.admin.create(topic, { partitions: 1 });
  const producer = await log.producer({});
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic, partition: 0, position: 0 }]);
  const began = systemClock.monotonic();
  let count = 0;
  do {
    await producer.append(topic, 0, batch(`k=${count}`));
    assert.equal((await readTo(reader, count, count + 1)).length, 1);
    assert.equal((await log.admin.bounds(topic, 0)).end, ++count);
    await systemClock.sleep(20);
  } while (systemClock.monotonic() - began < spanMs);
  await log.close();
}

async function fails(code: ErrorCode, options: Options): Promise<string> {
  const began = systemClock.monotonic();
  try {
    await (await open(options)).close();
  } catch (thrown) {
    assert.ok(isFlowError(thrown, code), String(thrown));
    assert.ok(systemClock.monotonic() - began < 8000, 'told before patience ends');
    assert.ok(!thrown.message.includes(PASSWORD) && !thrown.message.includes('no-secret'), 'without the secret');
    return thrown.message;
  }
  return assert.fail(`expected ${code}`);
}

function token(sub: string, seconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = systemClock.now() / 1000;
  return `${part({ alg: 'none' })}.${part({ sub, iat: now - 60, exp: now + seconds })}.`;
}

test('credentials and certificates that are not whole are refused before anything is asked', () => {
  const refused = (security: object) => {
    assert.throws(
      () => checkSecurity({ tls: undefined, sasl: undefined, ...security }),
      (thrown) => isFlowError(thrown, 'config.invalid'),
    );
  };
  refused({ tls: { cert: 'x' } });
  refused({ sasl: { mechanism: 'PLAIN', username: 'x' } });
  refused({ sasl: { mechanism: 'OAUTHBEARER' } });
});

if (brokers !== undefined) {
  const { addresses } = brokers;
  const text = (path: string | undefined) => readFileSync(path!, 'utf8');
  const [ca, cert, key] = [text(addresses.ca), text(addresses.certificate), text(addresses.key)];
  const login = { username: USER, password: PASSWORD };

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(`${mechanism}, over the end of sessions`, async () => {
      await works({ brokers: addresses.sasl!, sasl: { mechanism, ...login } }, 2 * SESSION_MS);
    });
  }

  test('OAUTHBEARER, with a new token for each session', async () => {
    let tokens = 0;
    const next = async () => {
      tokens++;
      return token(USER, 60);
    };
    await works({ brokers: addresses.sasl!, sasl: { mechanism: 'OAUTHBEARER', token: next } }, 2 * SESSION_MS);
    assert.ok(tokens > 4, String(tokens));
  });

  test('TLS with certificates on both sides, and with credentials', async () => {
    await works({ brokers: addresses.ssl!, tls: { ca, cert, key } }, 0);
    await works(
      { brokers: addresses.saslSsl!, tls: { ca }, sasl: { mechanism: 'SCRAM-SHA-512', ...login } },
      SESSION_MS,
    );
  });

  test('wrong credentials are told', async () => {
    const wrong = { username: USER, password: 'no-secret' };
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      const message = await fails('kafka.credentials', { brokers: addresses.sasl!, sasl: { mechanism, ...wrong } });
      assert.match(message, new RegExp(`${addresses.sasl} as ${mechanism}`));
    }
    const expired = { mechanism: 'OAUTHBEARER', token: token(USER, -30) } as const;
    assert.match(await fails('kafka.credentials', { brokers: addresses.sasl!, sasl: expired }), /token was refused/);
    assert.match(await fails('kafka.credentials', { brokers: addresses.sasl! }), /wants credentials; give sasl/);
    await fails('kafka.credentials', { brokers: addresses.brokers, sasl: { mechanism: 'PLAIN', ...login } });
  });

  test('a disagreement on TLS is told', async () => {
    assert.match(await fails('kafka.security', { brokers: addresses.ssl! }), /Broker requires TLS/);
    await fails('kafka.security', { brokers: addresses.brokers, tls: true });
    assert.match(await fails('kafka.security', { brokers: addresses.ssl!, tls: true }), /self-signed certificate/);
    assert.match(await fails('kafka.security', { brokers: addresses.ssl!, tls: { ca } }), /certificate/);
    const other = { ca, cert, key, servername: 'other.example' };
    assert.match(await fails('kafka.security', { brokers: addresses.ssl!, tls: other }), /other\.example/);
  });

  test('missing rights are told by topic, group and transactional id', async () => {
    const sasl = { mechanism: 'OAUTHBEARER', token: () => token('nobody', 60) } as const;
    const log = await open({ brokers: addresses.sasl!, sasl });
    const root = await open({ brokers: addresses.brokers });
    await root.admin.create('guarded', { partitions: 1 });
    await root.close();
    const rights = async (what: RegExp, work: Promise<unknown>) => {
      await assert.rejects(work, (thrown: Error) => isFlowError(thrown, 'kafka.rights') && what.test(thrown.message));
    };
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic: 'guarded', partition: 0, position: 0 }]);
    await rights(/topic guarded/, reader.fetch(0));
    await rights(/topic other/, log.admin.create('other', { partitions: 1 }));
    await rights(/topic guarded/, log.admin.bounds('guarded', 0));
    await rights(/group g/, log.committed('g', [{ topic: 'guarded', partition: 0 }]));
    await rights(/transactional id t/, log.producer({ transactionalId: 't' }));
    await log.close();
  });
}
