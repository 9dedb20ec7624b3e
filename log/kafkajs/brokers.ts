import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, partitionName } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import { Stale } from '../kafka/error-codes.ts';
import { backOffMs, retry } from '../kafka/retry.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import type { Client, Library, LibraryBroker, LibraryCluster, Metadata } from './library.ts';

/** What all parts of the driver share. */
export interface Shared {
  readonly library: Library;
  /** A client of the library; brokers log and count it under this name, default that of the log. */
  client(clientId?: string): Client;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a request, with all its retries, may take before it fails with `log.timeout`. */
  readonly patienceMs: Millis;
  /** Aborts when the log is closed. */
  readonly closing: AbortSignal;
}

export const COORDINATORS = { group: 0, transaction: 1 } as const;
const CONNECT_PATIENCE_MS: Millis = 10_000;
/** How long a topic that is not known is looked for. */
const MISSING_PATIENCE_MS: Millis = 1000;
const UNKNOWN_TOPIC = 3;
const INVALID_TOPIC = 17;

/**
 * Brokers over connections of their own: a broker answers the requests of a connection one after another, so whoever
 * waits there (a reader, a member that joins) has a set for itself.
 *
 * The library gives its cluster to those who bring a partition assigner; that is how we come by it.
 */
export class Brokers {
  readonly shared: Shared;
  readonly #cluster: LibraryCluster;
  readonly #leaders = new Map<string, ReadonlyMap<number, number>>();
  #connected: Promise<void> | undefined;
  #closed = false;

  constructor(shared: Shared, clientId?: string) {
    this.shared = shared;
    let cluster: LibraryCluster | undefined;
    shared.client(clientId).consumer({
      groupId: 'none',
      allowAutoTopicCreation: false,
      partitionAssigners: [
        (given) => {
          cluster = given.cluster as LibraryCluster;
          return shared.library.PartitionAssigners.roundRobin(given);
        },
      ],
    });
    this.#cluster = cluster!;
  }

  /** Connects; fails with `kafka.unreachable` and its kind where that does not come about in time. */
  async open(addresses: string): Promise<void> {
    const { clock, random, patienceMs, closing } = this.shared;
    const deadline = clock.monotonic() + Math.min(CONNECT_PATIENCE_MS, patienceMs);
    for (let tries = 0; ; tries++) {
      try {
        await this.#connect();
        return;
      } catch (thrown) {
        const failure = failureOfLibrary(thrown, `connecting to ${addresses}`);
        if (failure instanceof FlowError) throw failure;
        if (clock.monotonic() > deadline) {
          throw new FlowError(
            'kafka.unreachable',
            `no broker of the cluster at ${addresses} could be reached: ${failure.message}; check the addresses, that ` +
              'the brokers are up, that they advertise addresses which can be reached from here, and whether the port ' +
              'speaks TLS and wants credentials',
            { cause: thrown },
          );
        }
        await clock.sleep(backOffMs(tries, random), closing);
      }
    }
  }

  /** Asks until there is an answer, or patience ends; what leaders were known is forgotten before another try. */
  ask<T>(what: string, request: () => Promise<T>): Promise<T> {
    return retry(
      this.shared,
      what,
      async () => {
        this.check();
        try {
          return await request();
        } catch (thrown) {
          throw failureOfLibrary(thrown, what);
        }
      },
      { stale: () => this.#leaders.clear() },
    );
  }

  check(): void {
    if (this.#closed || this.shared.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }

  /** Any broker that answers. */
  async any(): Promise<LibraryBroker> {
    await this.#connect();
    const ids = this.#cluster.getNodeIds();
    let failure: unknown = new Stale('no broker is known', true);
    for (const nodeId of ids) {
      try {
        return await this.broker(nodeId);
      } catch (thrown) {
        failure = thrown;
      }
    }
    this.#connected = undefined;
    throw failure;
  }

  async all(): Promise<readonly LibraryBroker[]> {
    await this.#connect();
    return Promise.all(this.#cluster.getNodeIds().map((nodeId) => this.broker(nodeId)));
  }

  async broker(nodeId: number): Promise<LibraryBroker> {
    await this.#connect();
    return (await this.#cluster.findBroker({ nodeId: String(nodeId) })) as unknown as LibraryBroker;
  }

  async coordinator(group: string): Promise<LibraryBroker> {
    await this.#connect();
    try {
      return (await this.#cluster.findGroupCoordinator({ groupId: group })) as unknown as LibraryBroker;
    } catch (thrown) {
      return this.withoutCoordinator(thrown, group, COORDINATORS.group);
    }
  }

  /**
   * Throws on what was thrown as a coordinator was looked for. Where the library says only that it found none, it has
   * dropped the answer of a broker, such as that a right is missing: a broker is asked for the reason.
   */
  async withoutCoordinator(thrown: unknown, key: string, coordinatorType: number): Promise<never> {
    if ((thrown as Error).name === 'KafkaJSGroupCoordinatorNotFound') {
      await (await this.any()).findGroupCoordinator({ groupId: key, coordinatorType });
    }
    throw thrown;
  }

  /** Of these topics, or of all. */
  async metadata(topics: readonly string[]): Promise<Metadata> {
    return (await this.any()).metadata([...topics]);
  }

  /** How many partitions a topic has; `undefined` where there is none. Asks the brokers. */
  async partitions(topic: string): Promise<number | undefined> {
    return (await this.layout(topic))?.partitions;
  }

  /** The size of a topic, and the copies of the partition that has the fewest; as `partitions` else. */
  async layout(topic: string): Promise<{ readonly partitions: number; readonly copies: number } | undefined> {
    try {
      const { topicMetadata } = await this.metadata([topic]);
      const partitions = topicMetadata[0]!.partitionMetadata;
      this.#leaders.set(topic, new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader] as const)));
      const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
      return { partitions: partitions.length, copies };
    } catch (thrown) {
      this.#leaders.delete(topic);
      const code = codeOf(thrown);
      if (code === UNKNOWN_TOPIC || code === INVALID_TOPIC) return undefined;
      throw thrown;
    }
  }

  /** Who leads a partition. Fails with `topic.missing`, after looking for a second. */
  async leader(topic: string, partition: number): Promise<number> {
    const { clock, random, closing } = this.shared;
    const deadline = clock.monotonic() + MISSING_PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      this.check();
      const known = this.#leaders.get(topic)?.get(partition);
      if (known !== undefined && known >= 0) return known;
      const count = await this.partitions(topic);
      if (count !== undefined && partition < count) {
        const leader = this.#leaders.get(topic)?.get(partition) ?? -1;
        if (leader >= 0) return leader;
        throw new Stale(`${partitionName(topic, partition)} has no leader now`, true);
      }
      if (clock.monotonic() > deadline) throw missing(topic, partition, count);
      await clock.sleep(backOffMs(tries, random), closing);
    }
  }

  async leaderOf(topic: string, partition: number): Promise<LibraryBroker> {
    return this.broker(await this.leader(topic, partition));
  }

  /** What is known of a topic's leaders is asked for anew. */
  forget(topic: string): void {
    this.#leaders.delete(topic);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#connected?.catch(() => undefined);
    await this.#cluster.disconnect().catch(() => undefined);
  }

  #connect(): Promise<void> {
    this.#connected ??= (async () => {
      await this.#cluster.connect();
      // The cluster knows its brokers only once it has asked about something.
      await this.#cluster.refreshMetadata();
    })().catch((thrown: unknown) => {
      this.#connected = undefined;
      throw thrown;
    });
    return this.#connected;
  }
}

function missing(topic: string, partition: number, count: number | undefined): FlowError {
  return new FlowError(
    'topic.missing',
    count === undefined
      ? `topic ${topic} does not exist; create it, or check its name`
      : `topic ${topic} has ${count} partitions, so ${partitionName(topic, partition)} does not exist; check the number`,
  );
}
