import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ErrorCode, isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { type TestBrokers, testBrokers } from '../../integration-tests/support/brokers.ts';
import { batch, readTo } from '../conformance/bench.conformance.ts';
import type { Log } from '../log.ts';
import type { KafkaOptions } from './options.ts';

/**
 * What drivers of a cluster are held to on brokers that want credentials, certificates and rights. Sessions end so soon
 * that a case which works for longer goes through several.
 */
type Options = Omit<KafkaOptions, 'clock' | 'random'>;

const USER = 'alice';
const PASSWORD = 'alice-secret';
const SESSION_MS = 2000;
const PATIENCE_MS = 60_000;

class SecurityBench {
  readonly sasl: string;
  readonly ssl: string;
  readonly saslSsl: string;
  readonly plain: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly login = { username: USER, password: PASSWORD };
  readonly #create: (options: KafkaOptions) => Promise<Log>;

  constructor({ addresses }: TestBrokers, create: (options: KafkaOptions) => Promise<Log>) {
    const text = (path: string | undefined) => readFileSync(path!, 'utf8');
    this.plain = addresses.brokers;
    this.sasl = addresses.sasl!;
    this.ssl = addresses.ssl!;
    this.saslSsl = addresses.saslSsl!;
    this.files = { ca: text(addresses.ca), cert: text(addresses.certificate), key: text(addresses.key) };
    this.#create = create;
  }

  open(options: Options): Promise<Log> {
    return this.#create({ ...options, patienceMs: PATIENCE_MS, clock: systemClock, random: seededRandom(1) });
  }

  /** Makes a topic, writes to it and reads it, for longer than a session lasts. */
  async works(options: Options, spanMs = 0): Promise<void> {
    const log = await this.open(options);
    const topic = `t${process.pid}-${systemClock.now()}`;
    await log.admin.create(topic, { partitions: 1 });
    const producer = await log.producer({});
    const reader = log.reader({ isolation: 'committed' });
    reader.assign([{ topic, partition: 0, position: 0 }]);
    const began = systemClock.monotonic();
    let count = 0;
    try {
      do {
        await producer.append(topic, 0, batch(`k=${count}`));
        assert.equal((await readTo(reader, count, count + 1)).length, 1);
        assert.equal((await log.admin.bounds(topic, 0)).end, ++count);
        await systemClock.sleep(20);
      } while (systemClock.monotonic() - began < spanMs);
    } finally {
      await log.close();
    }
  }

  async fails(code: ErrorCode, options: Options): Promise<string> {
    const began = systemClock.monotonic();
    try {
      await (await this.open(options)).close();
    } catch (thrown) {
      assert.ok(isFlowError(thrown, code), String(thrown));
      assert.ok(systemClock.monotonic() - began < PATIENCE_MS / 2, 'told before patience ends');
      assert.ok(!thrown.message.includes(PASSWORD) && !thrown.message.includes('no-secret'), 'without the secret');
      return thrown.message;
    }
    return assert.fail(`expected ${code}`);
  }
}

function token(sub: string, seconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = systemClock.now() / 1000;
  return `${part({ alg: 'none' })}.${part({ sub, iat: now - 60, exp: now + seconds })}.`;
}

interface SecurityCase {
  readonly name: string;
  readonly run: (bench: SecurityBench) => Promise<void>;
}

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

const CASES: readonly SecurityCase[] = [
  ...MECHANISMS.map(
    (mechanism): SecurityCase => ({
      name: `SASL ${mechanism}, over the end of sessions`,
      run: (bench) => bench.works({ brokers: bench.sasl, sasl: { mechanism, ...bench.login } }, 2 * SESSION_MS),
    }),
  ),
  {
    name: 'SASL OAUTHBEARER, with a new token for each session',
    async run(bench) {
      let tokens = 0;
      const next = async () => {
        tokens++;
        return token(USER, 60);
      };
      await bench.works({ brokers: bench.sasl, sasl: { mechanism: 'OAUTHBEARER', token: next } }, 2 * SESSION_MS);
      assert.ok(tokens > 1, String(tokens));
    },
  },
  {
    name: 'TLS with certificates on both sides',
    run: (bench) => bench.works({ brokers: bench.ssl, tls: bench.files }),
  },
  {
    name: 'TLS with credentials',
    run: (bench) =>
      bench.works(
        {
          brokers: bench.saslSsl,
          tls: { ca: bench.files.ca },
          sasl: { mechanism: 'SCRAM-SHA-512', ...bench.login },
        },
        SESSION_MS,
      ),
  },
  {
    name: 'a wrong secret is told',
    async run(bench) {
      const brokers = bench.sasl;
      for (const mechanism of MECHANISMS) {
        const sasl = { mechanism, username: USER, password: 'no-secret' };
        await bench.fails('kafka.credentials', { brokers, sasl });
      }
    },
  },
  {
    name: 'a token that has expired is told',
    async run(bench) {
      const sasl = { mechanism: 'OAUTHBEARER', token: token(USER, -30) } as const;
      await bench.fails('kafka.credentials', { brokers: bench.sasl, sasl });
    },
  },
  {
    name: 'no credentials where they are wanted are told',
    async run(bench) {
      assert.match(await bench.fails('kafka.credentials', { brokers: bench.sasl }), /wants credentials; give sasl/);
    },
  },
  {
    name: 'credentials that nobody wants are told',
    async run(bench) {
      await bench.fails('kafka.credentials', {
        brokers: bench.plain,
        sasl: { mechanism: 'PLAIN', ...bench.login },
      });
    },
  },
  {
    name: 'no TLS where it is wanted is told',
    async run(bench) {
      await bench.fails('kafka.security', { brokers: bench.ssl });
    },
  },
  {
    name: 'TLS where there is none, an authority that is not known, and no certificate of our own are told',
    async run(bench) {
      const { ca } = bench.files;
      await bench.fails('kafka.security', { brokers: bench.plain, tls: true });
      assert.match(await bench.fails('kafka.security', { brokers: bench.ssl, tls: true }), /certificate/);
      assert.match(await bench.fails('kafka.security', { brokers: bench.ssl, tls: { ca } }), /certificate/);
    },
  },
  {
    name: 'a certificate of another name than asked for is refused',
    async run(bench) {
      const tls = { ...bench.files, servername: 'other.example' };
      assert.match(await bench.fails('kafka.security', { brokers: bench.ssl, tls }), /other\.example/);
    },
  },
  {
    name: 'missing rights are told by topic, group and transactional id',
    async run(bench) {
      const sasl = { mechanism: 'OAUTHBEARER', token: () => token('nobody', 60) } as const;
      const log = await bench.open({ brokers: bench.sasl, sasl });
      const root = await bench.open({ brokers: bench.plain });
      await root.admin.create('guarded', { partitions: 1 });
      await root.close();
      const rights = async (what: RegExp, work: Promise<unknown>) => {
        await assert.rejects(work, (thrown: Error) => isFlowError(thrown, 'kafka.rights') && what.test(thrown.message));
      };
      try {
        const reader = log.reader({ isolation: 'committed' });
        reader.assign([{ topic: 'guarded', partition: 0, position: 0 }]);
        await rights(/guarded/, reader.fetch(0));
        await rights(/other/, log.admin.create('other', { partitions: 1 }));
        await rights(/guarded/, log.admin.bounds('guarded', 0));
        await rights(/group g/, log.committed('g', [{ topic: 'guarded', partition: 0 }]));
        const join = { name: 'm', metadata: '', onAssign: () => undefined, onLost: () => undefined };
        const assign = () => new Map();
        // where tasks are dealt out as the partitions of a topic, that comes first
        const group = /group g|topic g\.slots/;
        await rights(group, log.join({ ...join, group: 'g', assign, onRevoke: async () => undefined }));
        await rights(/transactional id t/, log.producer({ transactionalId: 't' }));
      } finally {
        await log.close();
      }
    },
  },
];

/** The names of the cases, for the list of what each driver passes. */
export const SECURITY_CASES: readonly string[] = CASES.map(({ name }) => name);

/** Runs the cases on a driver, on brokers of its own, but those that it cannot pass. */
export async function securityConformance(
  create: (options: KafkaOptions) => Promise<Log>,
  { leftOut = {} }: { readonly leftOut?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const subject = [`User:O=nodeflow tests,CN=${USER}`, `User:CN=${USER},O=nodeflow tests`];
  const brokers = await testBrokers({
    secure: true,
    set: {
      'connections.max.reauth.ms': SESSION_MS,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': ['User:ANONYMOUS', `User:${USER}`, ...subject].join(';'),
    },
  });
  if (brokers === undefined) return;
  after(() => brokers.close());
  const bench = new SecurityBench(brokers, create);
  for (const { name, run } of CASES) {
    if (leftOut[name] === undefined) test(name, { timeout: 240_000 }, () => run(bench));
  }
}
