import type { TopicPartition } from '../../core/ids.ts';
import { endpoints } from '../kafka/endpoint.ts';
import { createKafkaLog } from '../kafka/kafka.ts';
import {
  DEFAULT_CLIENT_ID,
  DEFAULT_PATIENCE_MS,
  DEFAULT_TRANSACTION_TIMEOUT_MS,
  type KafkaOptions,
} from '../kafka/options.ts';
import type {
  CommittedPosition,
  Finding,
  GroupMember,
  Log,
  LogAdmin,
  LogCapabilities,
  LogProducer,
  LogReader,
  MemberOptions,
  ProducerOptions,
  ReaderOptions,
} from '../log.ts';
import { refuseStatic } from '../session.ts';
import { libraryConfig } from './client-options.ts';
import { loadLibrary } from './library.ts';
import { joinAsMember } from './member.ts';
import { ConfluentMembers } from './members.ts';
import { openLibraryProducer, PlainProducer, type ProducerParts } from './producer.ts';
import { ConfluentReader } from './reader.ts';
import { Shared } from './shared.ts';
import { withSlots } from './slots.ts';
import { TransactionalProducer } from './transactional-producer.ts';

/** What the driver can do, whatever the cluster. */
export const CONFLUENT_CAPABILITIES: LogCapabilities = {
  driver: 'confluent',
  rawBatches: false,
  transactions: true,
  fencing: true,
  ownAssignor: false,
  threads: false,
  durable: 'replicas',
};

export interface ConfluentOptions extends KafkaOptions {
  /** A module beside which the library is installed. Default: this one. */
  readonly libraryFrom?: string;
}

/**
 * The log on a Kafka cluster by `@confluentinc/kafka-javascript`, for applications that stay on that client: records,
 * transactions and groups go through librdkafka. What its bindings have no requests for (settings of topics, positions
 * that a transaction holds) is asked by the driver `kafka`, whose connections stand beside it. What else it lacks
 * stands in docs/drivers.md.
 *
 * Connects. Fails with `log.unsupported` where the library is not installed or not built, and as the driver `kafka`.
 */
export async function createConfluentLog({ libraryFrom, ...options }: ConfluentOptions): Promise<Log> {
  const library = loadLibrary(libraryFrom);
  const config = await libraryConfig(options, endpoints(options.brokers));
  const beside = await createKafkaLog(options);
  const closing = new AbortController();
  const shared = new Shared({
    library,
    config,
    clientId: options.clientId ?? DEFAULT_CLIENT_ID,
    clock: options.clock,
    random: options.random,
    patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
    closing: closing.signal,
  });
  return new ConfluentLog(shared, beside, closing);
}

class ConfluentLog implements Log {
  readonly capabilities = CONFLUENT_CAPABILITIES;
  readonly admin: LogAdmin;
  readonly #shared: Shared;
  readonly #beside: Log;
  readonly #closing: AbortController;
  readonly #members = new ConfluentMembers();
  readonly #readers = new Set<LogReader>();
  readonly #producers = new Set<LogProducer>();
  readonly #known = new Set<string>();

  constructor(shared: Shared, beside: Log, closing: AbortController) {
    this.#shared = shared;
    this.#beside = beside;
    this.#closing = closing;
    this.admin = withSlots(beside.admin, () => this.#known.clear());
  }

  reader(options: ReaderOptions): LogReader {
    this.#shared.check();
    const onClose = () => void this.#readers.delete(reader);
    const reader: LogReader = new ConfluentReader(this.#shared, this.admin, options, onClose);
    this.#readers.add(reader);
    return reader;
  }

  async producer({ transactionalId, transactionTimeoutMs }: ProducerOptions): Promise<LogProducer> {
    this.#shared.check();
    const [shared, admin, members, known] = [this.#shared, this.admin, this.#members, this.#known];
    const parts: ProducerParts = { shared, admin, members, known };
    const timeoutMs = transactionTimeoutMs ?? DEFAULT_TRANSACTION_TIMEOUT_MS;
    const producer =
      transactionalId === undefined
        ? new PlainProducer(parts, await openLibraryProducer(this.#shared))
        : await TransactionalProducer.open(parts, transactionalId, timeoutMs);
    if (this.#closing.signal.aborted) {
      // the log was closed meanwhile, without this one
      await producer.close();
      this.#shared.check();
    }
    this.#producers.add(producer);
    return producer;
  }

  async join(options: MemberOptions): Promise<GroupMember> {
    this.#shared.check();
    refuseStatic('confluent', options);
    return joinAsMember(this.#shared, this.admin, this.#members, options);
  }

  async committed(
    group: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly (CommittedPosition | undefined)[]> {
    this.#shared.check();
    return this.#beside.committed(group, partitions);
  }

  async inspect(topics: readonly string[]): Promise<readonly Finding[]> {
    return (await this.#beside.inspect?.(topics)) ?? [];
  }

  async checkClock(): Promise<void> {
    await this.#beside.checkClock?.();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await this.#members.close();
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    this.#closing.abort();
    await Promise.all([...this.#producers].map((producer) => producer.close()));
    await this.#beside.close();
  }
}
