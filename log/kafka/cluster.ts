import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';

/**
 * A Kafka cluster as the rest of the driver sees it: who leads what, who coordinates what, and two ways to ask.
 *
 * - {@link Cluster.call} sends one of the library's requests (metadata, admin, groups, transactions) over a connection
 *   of the library; there is one such connection a broker and lane.
 * - {@link Cluster.socket} gives one of our own sockets, for Fetch and Produce, which carry the records.
 *
 * What the cluster knows may be stale at any time. Who gets an answer that says so (not leader, not coordinator,
 * unknown topic) calls `stale` and asks again; `retry.ts` holds that loop and its patience.
 */
export interface Cluster {
  readonly clock: Clock;
  readonly random: Random;
  /** How long a request, with all its retries, may take before it fails with `log.timeout`. */
  readonly patienceMs: Millis;
  /** The finalised `transaction.version`; 2 and above speak the repaired protocol (KIP-890). */
  readonly transactionVersion: number;
  readonly replication: number;
  /** Where a topic's partition is led. Fails with `topic.missing`, or a {@link Stale} while there is no leader. */
  leader(topic: string, partition: number): Promise<Leader>;
  /** What is known of a topic without asking, or after asking once. `undefined` where there is none. */
  topic(topic: string): Promise<KafkaTopic | undefined>;
  coordinator(kind: 'group' | 'transaction', key: string): Promise<BrokerId>;
  controller(): Promise<BrokerId>;
  brokers(): Promise<readonly BrokerId[]>;
  /** Something of this was wrong: it is asked for anew before it is used again. */
  stale(what: { readonly topic: string } | { readonly coordinator: string }): void;
  /**
   * Sends a request over the library's connection to a broker. `lane` keeps slow requests (the join of a
   * member) from holding back others.
   */
  call<T>(broker: BrokerId, lane: Lane, request: (connection: LibraryConnection) => Promise<T>): Promise<T>;
  /** Our own socket to a broker; opened on first use, opened anew when broken. One per broker and role. */
  socket(broker: BrokerId, role: string): Promise<Socket>;
  close(): Promise<void>;
}

export type BrokerId = number;
/**
 * Which connection to a broker: a broker answers the requests of a connection one after another, and a join waits for
 * all other members. So every member of a group has a lane of its own, `member <name>`, which connects under the
 * client id `<name>`, since the broker makes member ids of client ids.
 */
export type Lane = 'control' | 'transactions' | `member ${string}`;

export interface Leader {
  readonly broker: BrokerId;
  readonly epoch: number;
  /** The topic's id as 16 bytes: Fetch 13 and newer, Produce 13 and newer name topics by it. */
  readonly topicId: Bytes;
}

export interface KafkaTopic {
  readonly topic: string;
  /** The topic's id as text; another after the topic was deleted and made anew. */
  readonly id: string;
  readonly partitions: number;
}

/** The library's connection, opaque here: only files that import the library look inside. */
export interface LibraryConnection {
  readonly library: unique symbol;
}

/**
 * A socket with requests in flight, in order. Answers come in the order of requests. A broken socket rejects every
 * request in flight with `log.timeout`: their outcome is unknown.
 */
export interface Socket {
  readonly open: boolean;
  /**
   * Sends one request: header (api, version, correlation, client) and the given parts, uncopied, which may not change
   * until the answer. Resolves with the answer's body (behind its header), valid until `release`.
   */
  send(api: number, version: number, parts: readonly Bytes[], timeoutMs: Millis): Promise<Answer>;
}

export interface Answer {
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  /** Gives the buffer back. Idempotent. */
  release(): void;
}
