import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Endpoint } from '../kafka/endpoint.ts';
import type { KafkaOptions, SaslOptions, Secret } from '../kafka/options.ts';
import type { Config } from './library.ts';

/** A token without a lifetime of its own is asked for again after so long. */
const TOKEN_LIFETIME_MS: Millis = 60_000;

/** How the library reaches the cluster, as settings of librdkafka that all its clients take. */
export async function libraryConfig(options: KafkaOptions, bootstrap: readonly Endpoint[]): Promise<Config> {
  const { tls, sasl, clock } = options;
  const secured = tls !== undefined && tls !== false;
  const protocol = `${sasl === undefined ? '' : 'sasl_'}${secured ? 'ssl' : 'plaintext'}`;
  return {
    'bootstrap.servers': bootstrap.map(({ name }) => name).join(','),
    'security.protocol': protocol,
    'allow.auto.create.topics': false,
    // it says nothing by itself: what matters comes as an error
    log_level: 0,
    ...(secured ? tlsConfig(tls === true ? {} : tls) : {}),
    ...(sasl === undefined ? {} : await saslConfig(sasl, () => clock.now())),
  };
}

function tlsConfig({ ca, cert, key, passphrase, servername, rejectUnauthorized }: TlsOf): Config {
  if (servername !== undefined) {
    throw new FlowError(
      'config.invalid',
      'tls: the driver confluent takes no servername; connect to the host that the certificate names',
    );
  }
  const text = (pem: string | Buffer) => pem.toString();
  const authorities = ca === undefined ? undefined : typeof ca === 'string' || Buffer.isBuffer(ca) ? [ca] : ca;
  return {
    ...(authorities === undefined ? {} : { 'ssl.ca.pem': authorities.map(text).join('\n') }),
    ...(cert === undefined ? {} : { 'ssl.certificate.pem': text(cert) }),
    ...(key === undefined ? {} : { 'ssl.key.pem': text(key) }),
    ...(passphrase === undefined ? {} : { 'ssl.key.password': passphrase }),
    ...(rejectUnauthorized === false ? { 'enable.ssl.certificate.verification': false } : {}),
  };
}

type TlsOf = Exclude<KafkaOptions['tls'], boolean | undefined>;

async function saslConfig(sasl: SaslOptions, now: () => Millis): Promise<Config> {
  if (sasl.mechanism !== 'OAUTHBEARER') {
    const [user, password] = [await open(sasl.username), await open(sasl.password)];
    return { 'sasl.mechanisms': sasl.mechanism, 'sasl.username': user, 'sasl.password': password };
  }
  return {
    'sasl.mechanisms': sasl.mechanism,
    oauthbearer_token_refresh_cb: async () => ({
      tokenValue: await open(sasl.token),
      lifetime: now() + TOKEN_LIFETIME_MS,
      extensions: { ...sasl.extensions },
    }),
  };
}

async function open(secret: Secret): Promise<string> {
  return typeof secret === 'string' ? secret : secret();
}
