import { systemClock } from '../../core/clock.ts';
import type { TopicPartition } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { Members } from '../clients/members.ts';
import { endpoints } from '../kafka/endpoint.ts';
import { createKafkaLog } from '../kafka/kafka.ts';
import {
  DEFAULT_CLIENT_ID,
  DEFAULT_PATIENCE_MS,
  DEFAULT_TRANSACTION_TIMEOUT_MS,
  type KafkaOptions,
} from '../kafka/options.ts';
import { checkSecurity } from '../kafka/security.ts';
import type {
  CommittedPosition,
  Finding,
  GroupMember,
  Log,
  LogAddress,
  LogCapabilities,
  LogProducer,
  LogReader,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { refuseStatic } from '../session.ts';
import { KafkaJsAdmin } from './admin.ts';
import { Brokers, type Shared } from './brokers.ts';
import { libraryOptions } from './client-options.ts';
import { installCodecs } from './codecs.ts';
import { committedPositions } from './group-admin.ts';
import { type LibraryAdmin, loadLibrary } from './library.ts';
import { joinAsMember } from './member.ts';
import { PlainProducer, type ProducerParts } from './producer.ts';
import { KafkaJsReader } from './reader.ts';
import { TransactionalProducer } from './transactional-producer.ts';

/** What the driver can do, whatever the cluster. */
export const KAFKAJS_CAPABILITIES: LogCapabilities = {
  driver: 'kafkajs',
  rawBatches: false,
  transactions: true,
  fencing: false,
  ownAssignor: true,
  threads: true,
  durable: 'replicas',
};

/**
 * The log on a Kafka cluster by `kafkajs`, for applications that stay on that client. Records are decoded by the
 * library one by one and encoded to batches again, so it is slower than the driver `kafka`; what else it lacks stands
 * in docs/drivers.md. Its own patience is short: what passes is waited out here, as by the driver `kafka`.
 *
 * Before the library connects, the driver `kafka` has been there once: where a broker closes a connection the library
 * does not say whether for TLS, for credentials or for a token that was refused, and this one does.
 *
 * Connects. Fails with `log.unsupported` where the library is not installed, with `kafka.unreachable`,
 * `kafka.credentials`, `kafka.security` or `kafka.version`, or with `config.invalid` on options that cannot work.
 */
export async function createKafkaJsLog(options: KafkaOptions): Promise<Log> {
  const { clock, random, ...place } = options;
  const bootstrap = endpoints(options.brokers);
  checkSecurity({ tls: options.tls === true ? {} : options.tls || undefined, sasl: options.sasl });
  const library = await loadLibrary();
  await (await createKafkaLog(options)).close();
  installCodecs(library);
  const patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
  const common = await libraryOptions(options, bootstrap, patienceMs);
  const closing = new AbortController();
  const client = (clientId = options.clientId ?? DEFAULT_CLIENT_ID) => new library.Kafka({ ...common, clientId });
  const shared: Shared = { library, client, clock, random, patienceMs, closing: closing.signal };
  const brokers = new Brokers(shared);
  const admin = client().admin();
  try {
    await brokers.open(bootstrap.map(({ name }) => name).join(', '));
    await brokers.ask('connecting for administration', () => admin.connect());
    return new KafkaJsLog(brokers, admin, closing, options, { driver: 'kafkajs', options: place });
  } catch (thrown) {
    await admin.disconnect().catch(() => undefined);
    await brokers.close();
    throw thrown;
  }
}

/** Opens the log that stands at an address, in a thread of its own. */
export function reopenKafkaJsLog({ options }: LogAddress): Promise<Log> {
  const random = seededRandom(systemClock.now());
  return createKafkaJsLog({ ...(options as Omit<KafkaOptions, 'clock' | 'random'>), clock: systemClock, random });
}

class KafkaJsLog implements Log {
  readonly capabilities = KAFKAJS_CAPABILITIES;
  readonly address: LogAddress;
  readonly admin: KafkaJsAdmin;
  readonly #brokers: Brokers;
  readonly #libraryAdmin: LibraryAdmin;
  readonly #closing: AbortController;
  readonly #options: KafkaOptions;
  readonly #members = new Members();
  readonly #readers = new Set<LogReader>();
  readonly #producers = new Set<LogProducer>();

  constructor(
    brokers: Brokers,
    admin: LibraryAdmin,
    closing: AbortController,
    options: KafkaOptions,
    address: LogAddress,
  ) {
    this.#brokers = brokers;
    this.#libraryAdmin = admin;
    this.#closing = closing;
    this.#options = options;
    this.address = address;
    this.admin = new KafkaJsAdmin(brokers, admin, options.replication);
  }

  reader(options: ReaderOptions): LogReader {
    this.#brokers.check();
    const own = new Brokers(this.#brokers.shared);
    const reader: LogReader = new KafkaJsReader(own, options, () => void this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }

  async producer({ transactionalId, transactionTimeoutMs }: ProducerOptions): Promise<LogProducer> {
    this.#brokers.check();
    const parts: ProducerParts = {
      shared: this.#brokers.shared,
      brokers: this.#brokers,
      members: this.#members,
      limitOf: (topic) => this.admin.limitOf(topic),
    };
    const timeoutMs = transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS;
    const producer =
      transactionalId === undefined
        ? new PlainProducer(parts)
        : await TransactionalProducer.open(parts, transactionalId, timeoutMs);
    if (this.#closing.signal.aborted) {
      // the log was closed meanwhile, without this one
      await producer.close();
      this.#brokers.check();
    }
    this.#producers.add(producer);
    return producer;
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    this.#brokers.check();
    refuseStatic('kafkajs', options);
    return joinAsMember(this.#brokers.shared, this.#members, options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    this.#brokers.check();
    return committedPositions(this.#brokers, group, partitions);
  }

  async inspect(topics: readonly string[]): Promise<readonly Finding[]> {
    return this.#beside(async (log) => (await log.inspect?.(topics)) ?? []);
  }

  async checkClock(): Promise<void> {
    await this.#beside(async (log) => log.checkClock?.());
  }

  /** The library asks nothing of the kind: the driver `kafka` does, over connections for the moment. */
  async #beside<T>(use: (log: Log) => Promise<T>): Promise<T> {
    this.#brokers.check();
    const log = await createKafkaLog(this.#options);
    try {
      return await use(log);
    } finally {
      await log.close();
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await this.#members.close();
    this.#closing.abort();
    await Promise.all([...this.#readers, ...this.#producers].map((one) => one.close()));
    await this.#libraryAdmin.disconnect().catch(() => undefined);
    await this.#brokers.close();
  }
}
