import type { KafkaConfig, SASLOptions } from 'kafkajs';
import type { Millis } from '../../core/ids.ts';
import type { Endpoint } from '../kafka/endpoint.ts';
import type { KafkaOptions, SaslOptions, Secret } from '../kafka/options.ts';

const CONNECTION_TIMEOUT_MS: Millis = 10_000;
const REQUEST_TIMEOUT_MS: Millis = 10_000;
/** So long before its end a session is renewed; the library's own 10 s would be longer than short sessions. */
const RENEWED_BEFORE_MS: Millis = 500;
/** A failed request is looked at by us: leaders may have moved. */
const RETRY = { retries: 2, initialRetryTime: 50, maxRetryTime: 1000 };

/** How the library reaches the cluster. It says nothing by itself: what matters comes as an error. */
export async function libraryOptions(
  { tls, sasl }: KafkaOptions,
  bootstrap: readonly Endpoint[],
  patienceMs: Millis,
): Promise<KafkaConfig> {
  const { ca, ...rest } = tls === true || tls === undefined || tls === false ? {} : tls;
  const authorities = ca === undefined || typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca];
  return {
    brokers: bootstrap.map(({ name }) => name),
    connectionTimeout: Math.min(CONNECTION_TIMEOUT_MS, patienceMs),
    requestTimeout: Math.min(REQUEST_TIMEOUT_MS, patienceMs),
    reauthenticationThreshold: RENEWED_BEFORE_MS,
    retry: RETRY,
    logCreator: () => () => undefined,
    ...(tls === undefined || tls === false
      ? {}
      : { ssl: tls === true ? true : { ...rest, ...(authorities === undefined ? {} : { ca: authorities }) } }),
    ...(sasl === undefined ? {} : { sasl: await saslOf(sasl) }),
  };
}

/** The library takes users and passwords as text only: they are asked for once. */
async function saslOf(sasl: SaslOptions): Promise<SASLOptions> {
  if (sasl.mechanism === 'OAUTHBEARER') {
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: await open(sasl.token), extensions: { ...sasl.extensions } }),
    };
  }
  const mechanism = sasl.mechanism.toLowerCase() as 'plain' | 'scram-sha-256' | 'scram-sha-512';
  return { mechanism, username: await open(sasl.username), password: await open(sasl.password) };
}

async function open(secret: Secret): Promise<string> {
  return typeof secret === 'string' ? secret : secret();
}
