import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { Endpoint } from './endpoint.ts';
import { credentials, failureFrom } from './failures.ts';
import type { Library, LibraryConnection, LibraryConnectionOptions } from './library.ts';
import type { SaslOptions, TlsOptions } from './options.ts';

export interface Security {
  readonly tls: TlsOptions | undefined;
  readonly sasl: SaslOptions | undefined;
}

/** How Node should open a TLS connection to a broker; `undefined` for a plain one. */
export function tlsOptions({ tls }: Security, { host }: Endpoint): ConnectionOptions | undefined {
  if (tls === undefined) return undefined;
  const { ca, ...rest } = tls;
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
  return {
    ...rest,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** What a broker says to a step of an authentication. */
export interface SaslAnswer {
  readonly authBytes: Buffer;
  readonly sessionLifetimeMs: bigint;
}

/** Sends the bytes of one step of a mechanism, and answers the broker's. */
export type Exchange = (bytes: Buffer) => Promise<SaslAnswer>;

/**
 * Goes through the steps of a mechanism behind the handshake, by the library's code. Answers for how long the
 * session holds, 0 for ever. Fails with `kafka.credentials`.
 */
export async function authenticate(
  library: Library,
  sasl: SaslOptions,
  at: Endpoint,
  exchange: Exchange,
): Promise<Millis> {
  const what = `connecting to ${at.name} as ${sasl.mechanism}`;
  // The library's mechanisms ask through a function of its own kind, and only hand the connection on to it.
  const send = ((_: unknown, bytes: Buffer, done: (failure: Error | null, answer?: SaslAnswer) => void) => {
    exchange(bytes).then(
      (answer) => done(null, answer),
      (failure) => done(failure),
    );
  }) as unknown as Parameters<Library['saslPlain']['authenticate']>[0];
  const none = undefined as unknown as LibraryConnection;
  let answer: SaslAnswer;
  try {
    if (sasl.mechanism === 'PLAIN') {
      answer = await library.saslPlain.authenticate(send, none, sasl.username, sasl.password);
    } else if (sasl.mechanism === 'OAUTHBEARER') {
      answer = await library.saslOAuthBearer.authenticate(send, none, sasl.token, { ...sasl.extensions });
    } else {
      const algorithm = sasl.mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512';
      answer = await library.saslScramSha.authenticate(send, none, algorithm, sasl.username, sasl.password);
    }
  } catch (thrown) {
    throw failureFrom(thrown, what);
  }
  // A refused token is answered with the reason as JSON where a good one is answered with nothing.
  if (sasl.mechanism === 'OAUTHBEARER' && answer.authBytes.length > 0) {
    throw credentials(what, `the token was refused: ${answer.authBytes.toString('utf8')}`);
  }
  return Number(answer.sessionLifetimeMs);
}

/** The library's own form of `authenticate`; tells `lifetime` how long the session holds. */
export function librarySasl(
  library: Library,
  sasl: SaslOptions,
  at: Endpoint,
  lifetime: (sessionMs: Millis) => void,
): NonNullable<LibraryConnectionOptions['sasl']> {
  return {
    mechanism: sasl.mechanism,
    authenticate(_mechanism, connection, api, _username, _password, _token, done) {
      let last: SaslAnswer | undefined;
      const exchange: Exchange = async (bytes) => {
        last = await api.async(connection, bytes);
        return last;
      };
      authenticate(library, sasl, at, exchange).then(
        (sessionMs) => {
          lifetime(sessionMs);
          // Without a lifetime the library does not authenticate anew by itself, between requests in flight; the
          // connection is replaced in time instead.
          done(null, { errorCode: 0, errorMessage: null, authBytes: last!.authBytes, sessionLifetimeMs: 0n });
        },
        (failure) => done(failure),
      );
    },
  };
}

/** Fails with `config.invalid` on options that cannot work. */
export function checkSecurity({ tls, sasl }: Security): void {
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    throw new FlowError('config.invalid', 'tls: a certificate (cert) and its key go together; give both or neither');
  }
  if (sasl === undefined) return;
  const wanted = sasl.mechanism === 'OAUTHBEARER' ? ['token'] : ['username', 'password'];
  for (const name of wanted) {
    if ((sasl as unknown as Record<string, unknown>)[name] === undefined) {
      throw new FlowError(
        'config.invalid',
        `sasl: ${sasl.mechanism} needs ${wanted.join(' and ')}; ${name} is missing`,
      );
    }
  }
}
