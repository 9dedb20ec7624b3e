import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Endpoint } from './endpoint.ts';
import { Stale } from './error-codes.ts';
import { brokerErrorOf, failureFrom } from './failures.ts';
import type { Library, LibraryConnection } from './library.ts';
import type { Pulse } from './pulse.ts';
import { librarySasl, type Security, tlsOptions } from './security.ts';
import { Versions } from './versions.ts';

const CONNECT_TIMEOUT_MS: Millis = 10_000;
/** Of the lifetime of a session, when its connection is replaced. */
const RENEW_AT = 0.8;
const SOFTWARE = 'nodeflow';
const SOFTWARE_VERSION = '1';
const UNSUPPORTED_VERSION = 35;

export interface LinkOptions {
  readonly clock: Clock;
  readonly library: Library;
  readonly clientId: string;
  readonly security: Security;
  readonly pulse: Pulse;
  /** Its requests may wait for something before they are answered. */
  readonly waits: boolean;
  /** A request not answered for longer breaks the connection. */
  readonly requestTimeoutMs: Millis;
}

/** One of the library's connections, open and authenticated. */
interface Opened {
  readonly connection: LibraryConnection;
  readonly versions: Versions;
  /** Why it broke, where it did: requests in flight only learn that it is closed. */
  readonly broken: () => Error | undefined;
  /** When the next request should have another connection; infinite where the session does not end. */
  readonly renewAt: number;
  users: number;
  retired: boolean;
}

/**
 * A lane to a broker: a connection of the library, opened on first use, opened anew when it broke, and replaced before
 * its session ends. Whatever breaks becomes a {@link Stale}.
 */
export class Link {
  readonly #at: Endpoint;
  readonly #options: LinkOptions;
  #opened: Promise<Opened> | undefined;
  /** All that are open or being opened. */
  readonly #connections = new Set<LibraryConnection>();
  #closed = false;

  constructor(at: Endpoint, options: LinkOptions) {
    this.#at = at;
    this.#options = options;
  }

  async versions(): Promise<Versions> {
    return (await this.#current()).versions;
  }

  async use<T>(request: (connection: LibraryConnection, versions: Versions) => Promise<T>): Promise<T> {
    const { pulse, waits } = this.#options;
    const opened = await this.#current();
    opened.users++;
    if (!waits) pulse.asked();
    try {
      const answer = await request(opened.connection, opened.versions);
      pulse.heard();
      return answer;
    } catch (thrown) {
      if (brokerErrorOf(thrown) !== undefined) throw thrown;
      throw failureFrom(opened.broken() ?? thrown, `a request to ${this.#at.name}`);
    } finally {
      opened.users--;
      if (opened.retired) this.#dispose(opened);
    }
  }

  /** Also ends what is under way: a broker that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  async #current(): Promise<Opened> {
    for (;;) {
      if (this.#closed) throw new FlowError('log.closed', `the connection to ${this.#at.name} was closed`);
      const opening = this.#opened ?? this.#open();
      const opened = await opening;
      if (opened.connection.isConnected() && this.#options.clock.monotonic() < opened.renewAt) return opened;
      if (this.#opened === opening) this.#opened = undefined;
      opened.retired = true;
      this.#dispose(opened);
    }
  }

  #dispose(opened: Opened): void {
    if (opened.users === 0) void opened.connection.close();
  }

  #open(): Promise<Opened> {
    const opening = this.#dial();
    this.#opened = opening;
    opening.catch(() => {
      if (this.#opened === opening) this.#opened = undefined;
    });
    return opening;
  }

  async #dial(): Promise<Opened> {
    const { clock, library, clientId, security, requestTimeoutMs } = this.#options;
    const { host, port, name } = this.#at;
    const tls = tlsOptions(security, this.#at);
    let sessionMs = 0;
    const connection = new library.Connection(clientId, {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      ...(tls === undefined ? {} : { tls }),
      ...(security.sasl === undefined
        ? {}
        : {
            sasl: librarySasl(library, security.sasl, this.#at, (ms) => {
              sessionMs = ms;
            }),
          }),
    });
    let broken: Error | undefined;
    connection.on('error', (failure) => {
      broken = failure;
    });
    this.#connections.add(connection);
    let isOurs = false;
    connection.on('closing', () => {
      isOurs = true;
    });
    connection.on('close', () => {
      this.#connections.delete(connection);
      if (!isOurs) this.#options.pulse.broke();
    });
    try {
      await connection.connect(host, port);
      const versions = await this.#ask(connection);
      const renewAt = sessionMs > 0 ? clock.monotonic() + sessionMs * RENEW_AT : Number.POSITIVE_INFINITY;
      return { connection, versions, broken: () => broken, renewAt, users: 0, retired: false };
    } catch (thrown) {
      void connection.close();
      this.#connections.delete(connection);
      const failure = failureFrom(broken ?? thrown, `connecting to ${name}`);
      if (failure instanceof FlowError) throw failure;
      const reason = `${name} cannot be reached (${failure.message})`;
      this.#options.pulse.missed(reason);
      throw new Stale(reason, true, 0, { cause: thrown });
    }
  }

  async #ask(connection: LibraryConnection): Promise<Versions> {
    try {
      const answer = await this.#options.library.apiVersionsV3.api.async(connection, SOFTWARE, SOFTWARE_VERSION);
      const ranges = new Map(
        answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion] as const]),
      );
      const features = new Map(answer.finalizedFeatures?.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]));
      const versions = new Versions(this.#at.name, ranges, features);
      versions.refuseOld();
      return versions;
    } catch (thrown) {
      if (brokerErrorOf(thrown)?.apiCode !== UNSUPPORTED_VERSION) throw thrown;
      throw new FlowError(
        'kafka.version',
        `the broker at ${this.#at.name} is older than this client can talk to; use Kafka 3.7 or newer`,
      );
    }
  }
}
