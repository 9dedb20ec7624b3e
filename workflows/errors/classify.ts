import { ERRORS, type ErrorKind, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import type { FailureClass, FailureInfo } from '../../events/events.ts';
import { redactText } from '../../telemetry/telemetry.ts';
import { FAMILIES } from './classes.ts';
import { NodeFailure } from './node-failure.ts';

const BY_KIND: { readonly [kind in ErrorKind]: FailureClass } = {
  transient: 'TRANSIENT',
  permanent: 'PERMANENT',
  system: 'SYSTEM',
  user: 'PERMANENT',
};

/** What is known of something that was thrown. */
interface Thrown {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly type?: unknown;
  readonly message?: unknown;
  readonly severity?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly retriable?: unknown;
  readonly cause?: unknown;
}

export interface Classified {
  readonly class: FailureClass;
  /** `ECONNRESET`, `http.429`, `pg.40P01`, `redis.LOADING`, `kafka.LEADER_NOT_AVAILABLE`, or the name of the error. */
  readonly code: string;
}

const MAX_CAUSES = 8;
const MAX_MESSAGE = 2000;

/**
 * What class a thrown error is of: as it says itself ({@link NodeFailure}), by the table, by what caused it, else
 * PERMANENT: code that throws throws again, and whoever knows better says so.
 */
export function classify(thrown: unknown): Classified {
  return known(thrown)?.classified ?? { class: 'PERMANENT', code: nameOf(thrown) };
}

/** The first of an error and what caused it whose class is known. */
function known(thrown: unknown): { readonly error: unknown; readonly classified: Classified } | undefined {
  let error = thrown;
  for (let i = 0; i < MAX_CAUSES && error !== undefined && error !== null; i++) {
    const classified = ofOne(error);
    if (classified !== undefined) return { error, classified };
    error = (error as Thrown).cause ?? (error as { readonly errors?: readonly unknown[] }).errors?.[0];
  }
  return undefined;
}

/** The failure of a node that has thrown, in the words of the engine; `instance` points into the document. */
export function failureOf(thrown: unknown, instance: string): FailureInfo {
  const message = redactText(messageOf(thrown)).slice(0, MAX_MESSAGE);
  const { class: failureClass, code } = classify(thrown);
  const error = known(thrown)?.error;
  const detail = error instanceof NodeFailure && error.detail !== null ? { detail: error.detail } : {};
  return { class: failureClass, code, message, instance, ...detail };
}

/** When whoever was asked wants to be asked again. */
export function retryAfterOf(thrown: unknown): Millis | undefined {
  const error = known(thrown)?.error;
  return error instanceof NodeFailure ? error.retryAfterMs : undefined;
}

function ofOne(thrown: unknown): Classified | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  if (thrown instanceof NodeFailure) return { class: thrown.class, code: thrown.code };
  if (isFlowError(thrown)) return { class: BY_KIND[ERRORS[thrown.code].kind], code: thrown.code };
  const error = thrown as Thrown;
  return ofPostgres(error) ?? ofRedis(error) ?? ofKafka(error) ?? ofNode(error) ?? ofHttp(error);
}

function ofNode({ code, name }: Thrown): Classified | undefined {
  if (typeof code === 'string') return inFamily('node', code, code, '');
  if (name === 'TimeoutError' || name === 'AbortError') return { class: 'TRANSIENT', code: String(name) };
  return undefined;
}

/** `pg` gives a SQLSTATE and the severity of the server's message. */
function ofPostgres({ code, severity, message }: Thrown): Classified | undefined {
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && (typeof severity === 'string' || /^\d/.test(code))) {
    return (
      inFamily('pg', code, code, 'pg.') ?? inFamily('pg', code.slice(0, 2), code, 'pg.') ?? permanent(`pg.${code}`)
    );
  }
  // what the client says itself has no code
  const said =
    typeof message === 'string' && /^(Connection terminated|timeout exceeded when trying to connect)/.test(message);
  return said ? { class: 'TRANSIENT', code: 'pg.connection' } : undefined;
}

function ofRedis({ name, message }: Thrown): Classified | undefined {
  if (name === 'ReplyError' && typeof message === 'string') {
    const [word = ''] = message.split(' ', 1);
    return inFamily('redis', word, word, 'redis.') ?? permanent(`redis.${word}`);
  }
  const lost =
    name === 'MaxRetriesPerRequestError' || name === 'ClusterAllFailedError' || message === 'Connection is closed.';
  return lost ? { class: 'TRANSIENT', code: 'redis.connection' } : undefined;
}

/** `type` is what kafkajs has, `code` what others have. */
function ofKafka({ type, code, name, retriable }: Thrown): Classified | undefined {
  for (const one of [type, code]) {
    if (typeof one === 'string') {
      const found = inFamily('kafka', one, one, 'kafka.');
      if (found !== undefined) return found;
    }
  }
  if (typeof name !== 'string' || !name.startsWith('KafkaJS')) return undefined;
  const passes = retriable === true || /^KafkaJS(Connection|RequestTimeout|NumberOfRetriesExceeded)/.test(name);
  return { class: passes ? 'TRANSIENT' : 'PERMANENT', code: `kafka.${name}` };
}

function ofHttp({ status, statusCode }: Thrown): Classified | undefined {
  const answered = typeof status === 'number' ? status : statusCode;
  return typeof answered === 'number' ? ofStatus(answered) : undefined;
}

/** The class of an answer with a status that is no success. */
export function ofStatus(status: number): Classified | undefined {
  if (!Number.isInteger(status) || status < 300 || status > 599) return undefined;
  const text = String(status);
  return inFamily('http', text, text, 'http.') ?? inFamily('http', text[0]!, text, 'http.');
}

function inFamily(family: string, key: string, code: string, prefix: string): Classified | undefined {
  const codes = FAMILIES.find((one) => one.family === family)!.codes;
  return Object.hasOwn(codes, key) ? { class: codes[key]!, code: `${prefix}${code}` } : undefined;
}

function permanent(code: string): Classified {
  return { class: 'PERMANENT', code };
}

function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'thrown';
  const { code } = thrown as Thrown;
  return typeof code === 'string' && code.length <= 100 ? code : thrown.name;
}
