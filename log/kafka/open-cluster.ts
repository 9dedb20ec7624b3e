import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';
import { AnswerPool } from './answer-pool.ts';
import type { BrokerId, Cluster, KafkaTopic, Lane, Leader, LibraryConnection, Socket } from './cluster.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { failureOf, Stale } from './error-codes.ts';
import { brokerErrorOf, credentials, hintsAtTls, security } from './failures.ts';
import type { Library, Metadata } from './library.ts';
import { Link } from './link.ts';
import { Missing, TopicCache } from './metadata.ts';
import { Pulse } from './pulse.ts';
import { backOffMs, retry } from './retry.ts';
import type { Security } from './security.ts';
import { type KafkaSocket, openSocket } from './socket.ts';
import type { Versions } from './versions.ts';

export interface ClusterOptions {
  readonly bootstrap: readonly Endpoint[];
  readonly clientId: string;
  readonly security: Security;
  readonly patienceMs: Millis;
  /** Copies of a partition; default: three, or as many as there are brokers. */
  readonly replication: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly library: Library;
}

/** How long addresses are tried when a cluster is opened. */
const CONNECT_PATIENCE_MS: Millis = 10_000;
/** How long a topic that is not known is looked for. */
const MISSING_PATIENCE_MS: Millis = 1000;
const REQUEST_TIMEOUT_MS: Millis = 10_000;
/** Of requests of a transaction: asked again well before the log gives the transaction up. */
const TRANSACTION_TIMEOUT_MS: Millis = 3000;
/** Of requests that wait for something: a topic to be made, the members of a group to come together. */
const WAITING_TIMEOUT_MS: Millis = 120_000;
const MOST_COPIES = 3;
/** So often a connection may break at the first request before we say that the listener wants credentials. */
const MOST_SILENT_CLOSES = 3;

/** Connects to a cluster: fails with `kafka.unreachable`, `kafka.credentials`, `kafka.security` or `kafka.version`. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = new KafkaCluster(options);
  try {
    await cluster.connect();
    return cluster;
  } catch (thrown) {
    await cluster.close();
    throw thrown;
  }
}

class KafkaCluster implements Cluster {
  readonly clock: Clock;
  readonly random: Random;
  readonly library: Library;
  readonly patienceMs: Millis;
  readonly pulse: Pulse;
  readonly askedReplication: number | undefined;
  replication: number;
  readonly #options: ClusterOptions;
  readonly #closing = new AbortController();
  readonly #pool = new AnswerPool();
  readonly #topics: TopicCache;
  readonly #brokers = new Map<BrokerId, Endpoint>();
  readonly #links = new Map<string, Link>();
  readonly #sockets = new Map<string, Promise<KafkaSocket>>();
  readonly #coordinators = new Map<string, BrokerId>();
  #controller: BrokerId = -1;
  /** Who answered last, and is asked first. */
  #favourite: Endpoint | undefined;
  #versions: Versions | undefined;
  #silentCloses = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.random = options.random;
    this.library = options.library;
    this.patienceMs = options.patienceMs;
    this.pulse = new Pulse(options.clock);
    this.askedReplication = options.replication;
    this.replication = options.replication ?? -1;
    this.#topics = new TopicCache((topics) => this.#metadata(topics));
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get transactionVersion(): number {
    return this.#versions?.feature('transaction.version') ?? 0;
  }

  async connect(): Promise<void> {
    const deadline = this.clock.monotonic() + Math.min(CONNECT_PATIENCE_MS, this.patienceMs);
    for (let tries = 0; ; tries++) {
      try {
        await this.#metadata([]);
        break;
      } catch (thrown) {
        if (!(thrown instanceof Stale)) throw thrown;
        if (this.#silentCloses >= MOST_SILENT_CLOSES) throw this.#wantsCredentials();
        if (tries >= MOST_SILENT_CLOSES && hintsAtTls(thrown.message)) throw this.#noTls(thrown);
        const waitMs = backOffMs(tries, this.random);
        if (this.clock.monotonic() + waitMs > deadline) throw this.#unreachable(thrown);
        await this.clock.sleep(waitMs, this.closing);
      }
    }
    if (this.askedReplication === undefined) this.replication = Math.min(MOST_COPIES, this.#brokers.size);
  }

  async leader(topic: string, partition: number): Promise<Leader> {
    const deadline = this.clock.monotonic() + MISSING_PATIENCE_MS;
    for (let tries = 0; ; tries++) {
      this.#check();
      try {
        return await this.#topics.leader(topic, partition);
      } catch (thrown) {
        if (!(thrown instanceof Missing)) throw thrown;
        if (this.clock.monotonic() > deadline) throw thrown.final();
        await this.clock.sleep(backOffMs(tries, this.random), this.closing);
      }
    }
  }

  topic(topic: string): Promise<KafkaTopic | undefined> {
    return retry(this, `asking about topic ${topic}`, () => {
      this.#check();
      return this.#topics.topic(topic);
    });
  }

  async coordinator(kind: 'group' | 'transaction', key: string): Promise<BrokerId> {
    this.#check();
    const known = this.#coordinators.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const what = kind === 'group' ? `group ${key}` : `transactional id ${key}`;
    const { findCoordinatorV6, findCoordinatorV5, findCoordinatorV4 } = this.library;
    const answer = await this.#anyone((connection, versions) =>
      versions
        .choose('FindCoordinator', findCoordinatorV6.api, findCoordinatorV5.api, findCoordinatorV4.api)
        .async(connection, kind === 'group' ? 0 : 1, [key]),
    ).catch((thrown: unknown) => {
      const refused = brokerErrorOf(thrown);
      throw refused === undefined ? thrown : failureOf(refused.apiCode, what, refused.serverErrorMessage);
    });
    const { nodeId, host, port } = answer.coordinators[0]!;
    this.#brokers.set(nodeId, endpoint(host, port));
    this.#coordinators.set(`${kind} ${key}`, nodeId);
    return nodeId;
  }

  async controller(): Promise<BrokerId> {
    if (!this.#brokers.has(this.#controller)) await retry(this, 'asking for the controller', () => this.#metadata([]));
    return this.#controller;
  }

  async brokers(): Promise<readonly BrokerId[]> {
    await retry(this, 'asking for the brokers', () => this.#metadata([]));
    return [...this.#brokers.keys()];
  }

  async topics(): Promise<readonly string[]> {
    const { topics } = await retry(this, 'asking for the topics', () => this.#metadata(null));
    return topics.filter(({ isInternal }) => !isInternal).map(({ name }) => name ?? '');
  }

  stale(what: { readonly topic: string } | { readonly coordinator: string } | { readonly controller: true }): void {
    if ('topic' in what) this.#topics.stale(what.topic);
    else if ('controller' in what) this.#controller = -1;
    else for (const kind of ['group', 'transaction']) this.#coordinators.delete(`${kind} ${what.coordinator}`);
  }

  async call<T>(
    broker: BrokerId,
    lane: Lane,
    request: (connection: LibraryConnection, versions: Versions) => Promise<T>,
  ): Promise<T> {
    return this.#link(await this.#endpoint(broker), lane).use(request);
  }

  async versions(broker: BrokerId): Promise<Versions> {
    return this.#link(await this.#endpoint(broker), 'control').versions();
  }

  async socket(broker: BrokerId, role: string): Promise<Socket> {
    const key = `${broker} ${role}`;
    for (;;) {
      const at = await this.#endpoint(broker);
      const opening = this.#sockets.get(key) ?? this.#openSocket(key, at);
      const socket = await opening;
      if (socket.open && socket.at.name === at.name) return socket;
      socket.close();
      if (this.#sockets.get(key) === opening) this.#sockets.delete(key);
    }
  }

  async close(): Promise<void> {
    if (this.closing.aborted) return;
    this.#closing.abort();
    for (const opening of this.#sockets.values()) {
      opening.then(
        (socket) => socket.close(),
        () => undefined,
      );
    }
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #check(): void {
    if (this.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }

  #openSocket(key: string, at: Endpoint): Promise<KafkaSocket> {
    const { clock, library, clientId, security } = this.#options;
    const forget = () => {
      if (this.#sockets.get(key) === opening) this.#sockets.delete(key);
    };
    const opening: Promise<KafkaSocket> = this.#link(at, 'control')
      .versions()
      .then((versions) => {
        const { pulse } = this;
        const options = { clock, library, clientId, security, versions, pulse, pool: this.#pool, onBroken: forget };
        return openSocket(at, options);
      })
      .then((socket) => {
        if (this.closing.aborted) socket.close();
        return socket;
      });
    this.#sockets.set(key, opening);
    opening.catch(forget);
    return opening;
  }

  async #endpoint(broker: BrokerId): Promise<Endpoint> {
    this.#check();
    if (!this.#brokers.has(broker)) await this.#metadata([]);
    const found = this.#brokers.get(broker);
    if (found === undefined) throw new Stale(`broker ${broker} is not in the cluster now`, true);
    return found;
  }

  hangUp(lane: Lane): void {
    for (const [key, link] of this.#links) {
      if (!key.endsWith(` ${lane}`)) continue;
      this.#links.delete(key);
      link.close().catch(() => undefined);
    }
  }

  #link(at: Endpoint, lane: Lane): Link {
    const key = `${at.name} ${lane}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      const { clock, library, clientId, security } = this.#options;
      const member = lane.startsWith('member ') ? lane.slice('member '.length) : undefined;
      const waits = member !== undefined || lane === 'admin';
      const timeoutMs = lane === 'transactions' ? TRANSACTION_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
      link = new Link(at, {
        clock,
        library,
        clientId: member ?? clientId,
        security,
        pulse: this.pulse,
        waits,
        requestTimeoutMs: waits ? WAITING_TIMEOUT_MS : Math.min(timeoutMs, this.patienceMs),
      });
      this.#links.set(key, link);
    }
    return link;
  }

  /** Asks about these topics, or about all. */
  async #metadata(topics: readonly string[] | null): Promise<Metadata> {
    const { metadataV12 } = this.library;
    const answer = await this.#anyone(async (connection, versions) => {
      versions.choose('Metadata', metadataV12.api);
      this.#silentCloses++;
      try {
        return await metadataV12.api.async(connection, topics === null ? null : [...topics], false);
      } catch (thrown) {
        // The library throws where any topic of the answer has an error; the answer stands beside it.
        const response = (thrown as { readonly response?: Metadata }).response;
        if (response === undefined) throw thrown;
        return response;
      }
    });
    this.#silentCloses = 0;
    this.#brokers.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, endpoint(host, port));
    this.#controller = answer.controllerId;
    return answer;
  }

  /** Asks whoever answers: the last one that did, then the brokers known, then the addresses we began with. */
  async #anyone<T>(request: (connection: LibraryConnection, versions: Versions) => Promise<T>): Promise<T> {
    const all = [...this.#brokers.values(), ...this.#options.bootstrap];
    if (this.#favourite !== undefined) all.unshift(this.#favourite);
    const tried = new Map<string, string>();
    for (const at of all) {
      this.#check();
      if (tried.has(at.name)) continue;
      try {
        return await this.#link(at, 'control').use((connection, versions) => {
          this.#versions = versions;
          return request(connection, versions).then((answer) => {
            this.#favourite = at;
            return answer;
          });
        });
      } catch (thrown) {
        if (!(thrown instanceof Stale)) throw thrown;
        tried.set(at.name, thrown.message);
      }
    }
    throw new Stale([...tried.values()].join('; '), true);
  }

  #unreachable(last: Stale): FlowError {
    const names = this.#options.bootstrap.map(({ name }) => name).join(', ');
    return new FlowError(
      'kafka.unreachable',
      `no broker of the cluster at ${names} could be reached: ${last.message}; check the addresses, that the brokers ` +
        'are up, that they advertise addresses which can be reached from here, and whether the port speaks TLS',
      { cause: last },
    );
  }

  #noTls({ message }: Stale): FlowError {
    return security(`connecting to ${this.#options.bootstrap.map(({ name }) => name).join(', ')}`, message);
  }

  #wantsCredentials(): FlowError {
    const { bootstrap, security } = this.#options;
    const names = bootstrap.map(({ name }) => name).join(', ');
    if (security.sasl !== undefined) return credentials(`connecting to ${names}`, 'it closes the connection');
    return new FlowError(
      'kafka.credentials',
      `${names} closes the connection at the first request: its listener wants credentials; give sasl, kafka.mechanism and what goes with it`,
    );
  }
}
