import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import type { Library, LibraryConnection } from './library.ts';
import type { Pulse } from './pulse.ts';
import type { Versions } from './versions.ts';

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
  /** The library, loaded: its requests, `createAPI`, `Writer`, `Reader`. */
  readonly library: Library;
  /** How long a request, with all its retries, may take before it fails with `log.timeout`. */
  readonly patienceMs: Millis;
  readonly pulse: Pulse;
  /** Aborts when the cluster is closed. */
  readonly closing: AbortSignal;
  /** The finalised `transaction.version`, as of the last connection; 2 and above speak the repaired protocol (KIP-890). */
  readonly transactionVersion: number;
  /** How many copies of each partition a topic that we make gets; -1 leaves it to the brokers. */
  readonly replication: number;
  /** What the options say of it. */
  readonly askedReplication: number | undefined;
  /**
   * Where a topic's partition is led. Fails with `topic.missing` (after looking for a second, since a topic that was
   * just made is not known everywhere at once), or with a `Stale` while there is no leader.
   */
  leader(topic: string, partition: number): Promise<Leader>;
  /** What is known of a topic without asking, or after asking once. `undefined` where there is none. */
  topic(topic: string): Promise<KafkaTopic | undefined>;
  /** Who coordinates a group or a transactional id. Fails with a `Stale` where nobody does now. */
  coordinator(kind: 'group' | 'transaction', key: string): Promise<BrokerId>;
  /** Who takes requests about topics; any broker passes them on to the controller. */
  controller(): Promise<BrokerId>;
  brokers(): Promise<readonly BrokerId[]>;
  /** The names of all topics but Kafka's own. */
  topics(): Promise<readonly string[]>;
  /** Something of this was wrong: it is asked for anew before it is used again. */
  stale(what: { readonly topic: string } | { readonly coordinator: string } | { readonly controller: true }): void;
  /**
   * Sends a request over the library's connection to a broker and lane, opened on first use. Fails with a `Stale`
   * where the broker was not reached or did not answer: whether it did what was asked is not known then. What a broker
   * answers besides is thrown as the library throws it: see `failures.ts`.
   */
  call<T>(
    broker: BrokerId,
    lane: Lane,
    request: (connection: LibraryConnection, versions: Versions) => Promise<T>,
  ): Promise<T>;
  /** Closes the connections of a lane; what waits for an answer there fails with a `Stale`. The lane may be used again. */
  hangUp(lane: Lane): void;
  /** Which requests a broker understands. */
  versions(broker: BrokerId): Promise<Versions>;
  /**
   * Our own socket to a broker; opened on first use, opened anew when broken. One per broker and role. Fails with a
   * `Stale` where it cannot be opened now.
   */
  socket(broker: BrokerId, role: string): Promise<Socket>;
  close(): Promise<void>;
}

export type BrokerId = number;
/**
 * Which connection to a broker: a broker answers the requests of a connection one after another, and a join waits for
 * all other members. So every member of a group has a lane of its own, `member <name>`, which connects under the
 * client id `<name>`, since the broker makes member ids of client ids.
 */
export type Lane = 'control' | 'admin' | 'transactions' | `member ${string}`;

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
  /** Of the partition that has the fewest. */
  readonly copies: number;
}

/**
 * A socket with requests in flight, in order. Answers come in the order of requests. A broken socket rejects every
 * request in flight with `log.timeout`: their outcome is unknown. A request to one that is not open any more was never
 * sent: it fails with a `Stale`.
 */
export interface Socket {
  readonly open: boolean;
  /** Which requests the broker understands. */
  readonly versions: Versions;
  /**
   * Sends one request: header (api, version, correlation, client) and the given parts, uncopied, which may not change
   * until the answer. Resolves with the answer's body (behind its header), valid until `release`.
   */
  send(api: number, version: number, parts: readonly Bytes[], timeoutMs: Millis): Promise<Answer>;
  /** Ends the connection; what is in flight fails. */
  close(): void;
}

export interface Answer {
  /** A buffer that may be larger than the answer; used again after `release`. */
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
  /** Gives the buffer back. Idempotent. */
  release(): void;
}

export type { LibraryConnection } from './library.ts';
