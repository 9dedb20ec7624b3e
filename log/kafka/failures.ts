import { FlowError, messageOf } from '../../core/errors.ts';
import { failureOf, Stale } from './error-codes.ts';

/**
 * The failure behind anything thrown while a broker was asked: a `FlowError` where asking again changes nothing,
 * else a {@link Stale}. What is neither of the network nor of a broker is thrown as it is: a fault of our own.
 */
export function failureFrom(thrown: unknown, what: string): Stale | FlowError {
  if (thrown instanceof Stale || thrown instanceof FlowError) return thrown;
  const answered = brokerErrorOf(thrown);
  if (answered !== undefined) return failureOf(answered.apiCode, what, answered.serverErrorMessage);
  const causes = causesOf(thrown);
  const ours = causes.find(({ error }) => error instanceof Stale || error instanceof FlowError);
  if (ours !== undefined) return ours.error as Stale | FlowError;
  const codes = causes.map(({ code }) => code);
  // The innermost says what happened; those around it say of what.
  const text = causes.at(-1)?.message ?? String(thrown);
  if (codes.some(isTlsCode)) return security(what, text);
  const signIn = codes.indexOf('PLT_KFK_AUTHENTICATION');
  if (signIn >= 0) {
    // Nothing was said of the credentials.
    if (codes.slice(signIn).some(isNetworkCode))
      return new Stale(`${CLOSED_AT_SIGN_IN} (${text})`, true, 0, { cause: thrown });
    return credentials(what, text);
  }
  if (codes.some(isNetworkCode) || hintsAtTls(text)) return new Stale(text, true, 0, { cause: thrown });
  throw thrown;
}

export function credentials(what: string, reason: string): FlowError {
  return new FlowError(
    'kafka.credentials',
    `${what}: the broker refused the credentials (${reason}); check mechanism, user and secret`,
  );
}

export function security(what: string, reason: string): FlowError {
  return new FlowError(
    'kafka.security',
    `${what}: no agreement on TLS (${tlsReason(reason)}); turn TLS on or off (kafka.tls) as the listener of that port ` +
      'wants it, and give the authority that signed its certificate (kafka.ca), and a certificate of your own ' +
      '(kafka.certificate, kafka.key) if it asks',
  );
}

/** What OpenSSL says, without where in its sources it says so. */
function tlsReason(text: string): string {
  return /:SSL routines:[^:]*:([^:]+):/.exec(text)?.[1] ?? text;
}

interface BrokerError {
  readonly apiCode: number;
  readonly serverErrorMessage?: string | null;
}

/** The first error that a broker put into its answer. */
export function brokerErrorOf(thrown: unknown): BrokerError | undefined {
  for (const error of causesOf(thrown)) {
    if (typeof error.apiCode === 'number')
      return { apiCode: error.apiCode, serverErrorMessage: error.serverErrorMessage };
  }
  return undefined;
}

interface Cause {
  readonly error: Error;
  readonly code: string;
  readonly message: string;
  readonly apiCode?: number;
  readonly serverErrorMessage: string | null;
}

/** The error, the errors gathered in it, and their causes, outermost first. */
function causesOf(thrown: unknown): readonly Cause[] {
  const found: Cause[] = [];
  const open: unknown[] = [thrown];
  for (let next = open.shift(); next !== undefined && found.length < 20; next = open.shift()) {
    if (!(next instanceof Error)) continue;
    const error = next as Error & Partial<Cause> & { readonly errors?: readonly unknown[] };
    found.push({
      error: next,
      code: String(error.code ?? ''),
      message: messageOf(error),
      ...(error.apiCode === undefined ? {} : { apiCode: error.apiCode }),
      serverErrorMessage: error.serverErrorMessage ?? null,
    });
    if (Array.isArray(error.errors)) open.push(...error.errors);
    open.push(error.cause);
  }
  return found;
}

const NETWORK_CODES = new Set([
  'PLT_KFK_NETWORK',
  'PLT_KFK_TIMEOUT',
  'PLT_KFK_UNEXPECTED_CORRELATION_ID',
  'PLT_KFK_OUT_OF_BOUNDS',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EMFILE',
  'ENFILE',
]);

function isNetworkCode(code: string): boolean {
  return NETWORK_CODES.has(code);
}

const TLS_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'EPROTO',
]);

function isTlsCode(code: string): boolean {
  return TLS_CODES.has(code) || code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_');
}

const CLOSED_AT_SIGN_IN = 'the connection was closed while signing in';
const TLS_HINTS = /TLS handshake failed|Broker requires TLS|before secure TLS connection was established/;

/** Whether it looks as if one side spoke TLS and the other did not. A broker that stops looks so too, for a while. */
export function hintsAtTls(message: string): boolean {
  return TLS_HINTS.test(message) || message.includes(CLOSED_AT_SIGN_IN);
}
