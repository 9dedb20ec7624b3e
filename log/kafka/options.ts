import type { Clock } from '../../core/clock.ts';
import type { Millis } from '../../core/ids.ts';
import type { Random } from '../../core/random.ts';

/** What every driver on a cluster takes where its options or the contract say nothing. */
export const DEFAULT_CLIENT_ID = 'nodeflow';
export const DEFAULT_PATIENCE_MS: Millis = 30_000;
export const DEFAULT_TRANSACTION_TIMEOUT_MS: Millis = 10_000;

/** How to reach a cluster. These types stand apart from the client library, so that users need none of its types. */
export interface KafkaOptions {
  /** Where brokers listen: `host:port`, several with commas between. One that answers is enough. */
  readonly brokers: string;
  /** A name for the logs and quotas of the brokers. Default `nodeflow`. */
  readonly clientId?: string;
  /** True for TLS with the authorities that Node trusts. */
  readonly tls?: boolean | TlsOptions;
  readonly sasl?: SaslOptions;
  /** Copies of each partition of the topics that we make; -1 leaves it to the brokers. Default 3, or all brokers. */
  readonly replication?: number;
  /** How long a request may take, with all its retries. Default 30 s. */
  readonly patienceMs?: Millis;
  readonly clock: Clock;
  readonly random: Random;
}

export interface TlsOptions {
  /** The authorities that may have signed the brokers' certificates, as PEM; default: those that Node trusts. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** A certificate of our own, where the brokers ask for one, and its key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** The name that the brokers' certificates carry, where it is not the host that is connected to. */
  readonly servername?: string;
  /** False accepts any certificate: anyone on the way can read and change everything. Default true. */
  readonly rejectUnauthorized?: boolean;
}

/** A secret, or what gives it each time it is needed. */
export type Secret = string | (() => string | Promise<string>);

export type SaslOptions =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: Secret;
      readonly password: Secret;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly token: Secret;
      /** Further pairs that the broker's validator may want. */
      readonly extensions?: Readonly<Record<string, string>>;
    };
