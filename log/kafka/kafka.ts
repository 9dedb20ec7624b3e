import { systemClock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { TopicPartition } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { Members } from '../clients/members.ts';
import type {
  CommittedPosition,
  Finding,
  GroupMember,
  Log,
  LogAddress,
  LogCapabilities,
  LogConnection,
  LogProducer,
  LogReader,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { KafkaAdmin } from './admin.ts';
import { checkClock } from './broker-clock.ts';
import type { Cluster } from './cluster.ts';
import { committedPositions } from './committed.ts';
import { endpoints } from './endpoint.ts';
import { inspectCluster, type Reached } from './inspect.ts';
import { loadLibrary } from './library.ts';
import { joinAsMember } from './member.ts';
import { openCluster } from './open-cluster.ts';
import { DEFAULT_CLIENT_ID, DEFAULT_PATIENCE_MS, type KafkaOptions } from './options.ts';
import { openProducer } from './producer.ts';
import { KafkaReader } from './reader.ts';
import { checkSecurity } from './security.ts';

/** What the driver can do, whatever the cluster. */
export const KAFKA_CAPABILITIES: LogCapabilities = {
  driver: 'kafka',
  rawBatches: true,
  transactions: true,
  fencing: true,
  ownAssignor: true,
  threads: true,
  durable: 'replicas',
};

/**
 * The log on a Kafka cluster, of Kafka 3.7 or newer. Records go over sockets of our own (`socket.ts`), as whole
 * batches: fetched ones lie in the buffer they were received in. Everything else goes over the connections of the
 * client library. What passes by itself (brokers that restart, leaders that move, coordinators that are not there yet)
 * is waited out here, within `patienceMs` where something was asked, for ever where a reader waits for records.
 *
 * Connects. Fails with `kafka.unreachable`, `kafka.credentials`, `kafka.security` or `kafka.version`, or with
 * `config.invalid` on options that cannot work.
 */
export async function createKafkaLog(options: KafkaOptions): Promise<Log> {
  const { clock, random, ...place } = options;
  const { sasl } = place;
  const security = { tls: options.tls === true ? {} : options.tls || undefined, sasl };
  const bootstrap = endpoints(options.brokers);
  checkSecurity(security);
  const library = await loadLibrary();
  const cluster = await openCluster({
    bootstrap,
    clientId: options.clientId ?? DEFAULT_CLIENT_ID,
    security,
    patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
    replication: options.replication,
    clock,
    random,
    library,
  });
  const reached = { tls: security.tls !== undefined, mechanism: sasl?.mechanism };
  return new KafkaLog(cluster, { driver: 'kafka', options: place satisfies KafkaPlace }, reached);
}

/** What of the options says where the cluster is. */
type KafkaPlace = Omit<KafkaOptions, 'clock' | 'random'>;

/** Opens the log that stands at an address, in a thread of its own. */
export function reopenKafkaLog({ options }: LogAddress): Promise<Log> {
  const random = seededRandom(systemClock.now());
  return createKafkaLog({ ...(options as KafkaPlace), clock: systemClock, random });
}

class KafkaLog implements Log {
  readonly capabilities = KAFKA_CAPABILITIES;
  readonly address: LogAddress;
  readonly connection: LogConnection;
  readonly admin: KafkaAdmin;
  readonly #cluster: Cluster;
  readonly #reached: Reached;
  readonly #members = new Members();
  readonly #readers = new Set<LogReader>();
  #serial = 0;

  constructor(cluster: Cluster, address: LogAddress, reached: Reached) {
    this.#reached = reached;
    this.address = address;
    this.#cluster = cluster;
    this.connection = cluster.pulse;
    this.admin = new KafkaAdmin(cluster);
  }

  reader(options: ReaderOptions): LogReader {
    const reader: LogReader = new KafkaReader(this.#cluster, options, `reader ${++this.#serial}`, () => {
      this.#readers.delete(reader);
    });
    this.#readers.add(reader);
    return reader;
  }

  async producer(options: ProducerOptions): Promise<LogProducer> {
    this.#check();
    const parts = {
      cluster: this.#cluster,
      members: this.#members,
      limitOf: (topic: string) => this.admin.limitOf(topic),
      check: () => this.#check(),
    };
    return openProducer(parts, options);
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    this.#check();
    return joinAsMember(this.#cluster, this.#members, options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    this.#check();
    return committedPositions(this.#cluster, group, partitions);
  }

  async inspect(topics: readonly string[]): Promise<readonly Finding[]> {
    this.#check();
    return inspectCluster(this.#cluster, this.#reached, topics);
  }

  async checkClock(): Promise<void> {
    this.#check();
    return checkClock(this.#cluster);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    await this.#members.close();
    await this.#cluster.close();
  }

  #check(): void {
    if (this.#cluster.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }
}
