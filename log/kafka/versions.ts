import { FlowError } from '../../core/errors.ts';

/** Numbers of requests in the protocol that our own sockets send. */
export const API = { produce: 0, fetch: 1, saslHandshake: 17, saslAuthenticate: 36 } as const;

/** The version of Produce that Kafka 3.7 brought. */
const PRODUCE_OF_37 = 10;

/** A version of a request: the `api` of one of the library's modules. */
interface RequestVersion {
  readonly key: number;
  readonly version: number;
}

/** Which requests a broker understands, as it said when a connection to it was opened. */
export class Versions {
  /** Where the broker listens, for messages. */
  readonly broker: string;
  readonly #ranges: ReadonlyMap<number, readonly [oldest: number, newest: number]>;
  readonly #features: ReadonlyMap<string, number>;

  constructor(
    broker: string,
    ranges: ReadonlyMap<number, readonly [oldest: number, newest: number]>,
    features: ReadonlyMap<string, number>,
  ) {
    this.broker = broker;
    this.#ranges = ranges;
    this.#features = features;
  }

  /** The finalised level of a feature of the cluster; 0 where it has none. */
  feature(name: string): number {
    return this.#features.get(name) ?? 0;
  }

  knows(api: number, version: number): boolean {
    const range = this.#ranges.get(api);
    return range !== undefined && version >= range[0] && version <= range[1];
  }

  /**
   * Fails with `kafka.version` on a broker from before Kafka 3.7. Those may understand all that we ask, but do not
   * verify that a write belongs to an open transaction: a late one would stand there for ever, or be doubled.
   */
  refuseOld(): void {
    if (this.knows(API.produce, PRODUCE_OF_37)) return;
    throw new FlowError(
      'kafka.version',
      `the broker at ${this.broker} is older than Kafka 3.7, and does not verify transactions; upgrade the brokers to ` +
        'Kafka 3.7 or newer',
    );
  }

  /** The newest version between two of ours that the broker understands. Fails with `kafka.version`. */
  newest(what: string, api: number, from: number, to: number): number {
    for (let version = to; version >= from; version--) if (this.knows(api, version)) return version;
    throw this.#tooOld(what, api, from);
  }

  /** The first of these that the broker understands: name the newest first. Fails with `kafka.version`. */
  choose<T extends RequestVersion>(what: string, ...ours: readonly T[]): T {
    const found = ours.find(({ key, version }) => this.knows(key, version));
    if (found === undefined) throw this.#tooOld(what, ours[0]!.key, Math.min(...ours.map(({ version }) => version)));
    return found;
  }

  #tooOld(what: string, api: number, from: number): FlowError {
    const range = this.#ranges.get(api);
    const has = range === undefined ? 'not at all' : `in versions ${range[0]} to ${range[1]}`;
    return new FlowError(
      'kafka.version',
      `the broker at ${this.broker} understands the request ${what} (${api}) ${has}, version ${from} is needed; ` +
        'use brokers of Kafka 3.7 or newer, and a client that is not much older than they are',
    );
  }
}
