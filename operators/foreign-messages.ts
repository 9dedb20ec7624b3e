import { type Bytes, type ByteWriter, readInt32 } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';

/**
 * What the sides of a foreign-key join send each other, version 1; numbers are big-endian.
 *
 * A *subscription*, under the foreign key: one byte (the version in its upper half, what is asked in its lower), the
 * partition of the left row as int32, one byte (1 where a hash follows), the hash of the left value (16 bytes; none for
 * a row that was deleted), the left key. All but the key is kept as the row of the subscription.
 *
 * An *answer*, under the left key: one byte (the version in its upper half; 1: a hash follows, 2: a value follows, 4: a
 * foreign key follows), the hash of the subscription that it answers, then the right value. An inner join that has no
 * value says instead which foreign key has none.
 *
 * An *acknowledgement* is an answer of one byte, 8 or 9 in its lower half: that a row which goes or moves has been
 * unsubscribed. All that the right side sent before about that foreign key has come before it. Where both foreign keys
 * of a row that moves lie in one partition, the answer to the new one is the acknowledgement too (8 beside the rest).
 *
 * What was written before there were foreign keys in answers, and acknowledgements, is read as it was then.
 */
export type Ask =
  | typeof IF_FOUND
  | typeof ALWAYS
  | typeof LEAVE
  | typeof LEAVE_AND_ANSWER
  | typeof LEAVE_TO_GO
  | typeof LEAVE_TO_MOVE
  | typeof ARRIVE;

/** Subscribe; an answer is wanted if the right row is there. */
export const IF_FOUND = 0;
/** Subscribe; an answer is wanted in any case. */
export const ALWAYS = 1;
/** Unsubscribe without an answer. */
export const LEAVE = 2;
/** Unsubscribe; the answer says that there is no row. Nobody asks so any more. */
export const LEAVE_AND_ANSWER = 3;
/** Unsubscribe, to be acknowledged: the row names no foreign key any more, or is gone, and so is its result. */
export const LEAVE_TO_GO = 4;
/** Unsubscribe, to be acknowledged: the row names another foreign key now. */
export const LEAVE_TO_MOVE = 5;
/** Subscribe; an answer is wanted in any case. It acknowledges that the row has left another foreign key of the partition. */
export const ARRIVE = 6;

/** What an answer brings besides the hash. */
export type Content = typeof NOTHING | typeof RIGHT_VALUE | typeof FOREIGN_KEY;

export const NOTHING = 0;
export const RIGHT_VALUE = 2;
/** In place of a value that is not there: the key under which it is not. */
export const FOREIGN_KEY = 4;

/** `ARRIVED` is an answer as well. */
export type Acknowledgement = typeof GONE | typeof MOVED | typeof ARRIVED;

export const GONE = 8;
export const MOVED = 9;
export const ARRIVED = 10;

const VERSION = 0x10;
const HASH_BYTES = 16;
const PARTITION_AT = 1;
const HASHED_AT = 5;
const HEAD_BYTES = 6;

const HASHED = 1;
const ACKNOWLEDGES = 8;

/** All but the key of the left row. */
export function writeSubscription(out: ByteWriter, ask: Ask, partition: number, hash: Int32Array | undefined): void {
  out.byte(VERSION | ask);
  out.int32(partition);
  out.byte(hash === undefined ? 0 : 1);
  if (hash !== undefined) writeHash(out, hash);
}

export function askOf(bytes: Bytes, start: number, end: number): Ask {
  const first = checked(bytes, start, end, HEAD_BYTES, 'a subscription');
  const ask = first & 0x0f;
  if (ask > ARRIVE) throw unknown('a subscription', first);
  return ask as Ask;
}

export function partitionOf(bytes: Bytes, start: number): number {
  return readInt32(bytes, start + PARTITION_AT);
}

/** Where the left key of a subscription begins; its row ends there. */
export function leftKeyAt(bytes: Bytes, start: number): number {
  return start + HEAD_BYTES + (bytes[start + HASHED_AT] === 1 ? HASH_BYTES : 0);
}

/** Whether it unsubscribes. */
export function isLeaving(ask: Ask): boolean {
  return ask >= LEAVE && ask <= LEAVE_TO_MOVE;
}

/** An answer to a subscription, or to a row of one, up to its content. One to an arrival has a hash and some content. */
export function writeAnswer(
  out: ByteWriter,
  subscription: Bytes,
  start: number,
  content: Content,
  arrival = false,
): void {
  const hashed = subscription[start + HASHED_AT] === 1;
  out.byte(VERSION | (hashed ? HASHED : 0) | content | (arrival ? ACKNOWLEDGES : 0));
  if (hashed) out.copy(subscription, start + HEAD_BYTES, start + HEAD_BYTES + HASH_BYTES);
}

export function writeAcknowledgement(out: ByteWriter, what: typeof GONE | typeof MOVED): void {
  out.byte(VERSION | what);
}

/** What an answer acknowledges; `undefined` where it is another answer. Ask this first. */
export function acknowledgementOf(bytes: Bytes, start: number, end: number): Acknowledgement | undefined {
  const first = checked(bytes, start, end, 1, 'an answer');
  const kind = first & 0x0f;
  if (kind === GONE || kind === MOVED) return kind;
  if (kind === (ACKNOWLEDGES | HASHED | RIGHT_VALUE) || kind === (ACKNOWLEDGES | HASHED | FOREIGN_KEY)) return ARRIVED;
  if (kind > (HASHED | FOREIGN_KEY)) throw unknown('an answer', first);
  return undefined;
}

/** Whether the answer is one to a row with this hash; `undefined` is no row. */
export function answersTo(bytes: Bytes, start: number, hash: Int32Array | undefined): boolean {
  const first = bytes[start]!;
  if ((first & HASHED) === 0) return hash === undefined;
  if (hash === undefined) return false;
  for (let i = 0; i < hash.length; i++) if (hash[i] !== readInt32(bytes, start + 1 + 4 * i)) return false;
  return true;
}

/** Where the content of an answer begins; -1: it has none of this kind. */
export function contentAt(bytes: Bytes, start: number, content: typeof RIGHT_VALUE | typeof FOREIGN_KEY): number {
  const first = bytes[start]!;
  if ((first & content) === 0) return -1;
  return start + 1 + ((first & HASHED) === 0 ? 0 : HASH_BYTES);
}

function writeHash(out: ByteWriter, hash: Int32Array): void {
  for (let i = 0; i < hash.length; i++) out.int32(hash[i]!);
}

function checked(bytes: Bytes, start: number, end: number, least: number, what: string): number {
  const first = end - start < least ? 0 : bytes[start]!;
  if ((first & 0xf0) !== VERSION) throw unknown(what, first);
  return first;
}

function unknown(what: string, first: number): FlowError {
  const cure = 'another version of the engine wrote it: run that one, or reset the application';
  return new FlowError(
    'schema.mismatch',
    `${what} of a foreign-key join begins with byte ${first}, and this engine reads version 1; ${cure}`,
  );
}
