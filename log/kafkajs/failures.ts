import { FlowError } from '../../core/errors.ts';
import { failureOf, Stale } from '../kafka/error-codes.ts';
import { credentials, failureFrom } from '../kafka/failures.ts';

/** An error of the library; the broker's own code where it came from one. */
interface LibraryError extends Error {
  readonly code?: number | string;
  readonly type?: string;
  readonly cause?: unknown;
  readonly originalError?: unknown;
  readonly errors?: unknown;
  readonly partitions?: unknown;
  readonly groups?: unknown;
}

const MOST_CAUSES = 20;

/** What passes: the library has lost a connection, or knows too little of the cluster yet. */
const PASSING = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout',
  'KafkaJSInvariantViolation',
]);

/**
 * The failure behind anything the library throws: a `FlowError` where asking again changes nothing, else a `Stale`.
 * What is neither of the network nor of a broker is thrown as it is: a fault of our own.
 */
export function failureOfLibrary(thrown: unknown, what: string): Stale | FlowError {
  const all = causesOf(thrown);
  const ours = all.find((error) => error instanceof FlowError || error instanceof Stale);
  if (ours !== undefined) return ours as FlowError | Stale;
  const answered = all.find(({ code, type }) => typeof code === 'number' && type !== undefined);
  if (answered !== undefined) return failureOf(Number(answered.code), what);
  const named = (name: string) => all.find((error) => error.name === name);
  const refused = named('KafkaJSSASLAuthenticationError');
  if (refused !== undefined) return credentials(what, refused.message);
  const old = named('KafkaJSServerDoesNotSupportApiKey');
  if (old !== undefined) {
    return new FlowError('kafka.version', `${what}: ${old.message}; upgrade the brokers to Kafka 3.7 or newer`);
  }
  const missing = named('KafkaJSNotImplemented');
  if (missing !== undefined) return new FlowError('log.unsupported', `${what}: ${missing.message}`);
  try {
    return failureFrom(thrown, what);
  } catch {
    const passing = all.find(({ name }) => PASSING.has(name));
    if (passing !== undefined) return new Stale(passing.message, true, 0, { cause: thrown });
    throw thrown;
  }
}

/** The broker's code in anything the library throws; `undefined` where none is in it. */
export function codeOf(thrown: unknown): number | undefined {
  const answered = causesOf(thrown).find(({ code, type }) => typeof code === 'number' && type !== undefined);
  return answered === undefined ? undefined : Number(answered.code);
}

function causesOf(thrown: unknown): readonly LibraryError[] {
  const found: LibraryError[] = [];
  const open: unknown[] = [thrown];
  while (open.length > 0 && found.length < MOST_CAUSES) {
    const next = open.shift();
    if (!(next instanceof Error)) continue;
    const error = next as LibraryError;
    found.push(error);
    if (Array.isArray(error.errors)) open.push(...error.errors);
    open.push(error.cause, error.originalError);
    // Where several were asked about, each has its own.
    const several = error.partitions ?? error.groups;
    if (Array.isArray(several)) open.push(...several.map((one: { readonly error?: unknown }) => one.error));
  }
  return found;
}
