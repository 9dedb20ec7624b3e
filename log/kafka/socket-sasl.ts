import { type Bytes, readInt16 } from '../../core/bytes.ts';
import type { Millis } from '../../core/ids.ts';
import type { Answer } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';
import { failureOf } from './error-codes.ts';
import type { Library } from './library.ts';
import type { SaslOptions } from './options.ts';
import { authenticate } from './security.ts';
import { API } from './versions.ts';

/** Sends a request whose header ends in tagged fields, or not. */
export type RawExchange = (api: number, version: number, body: Bytes, flexible: boolean) => Promise<Answer>;

/** Authenticates a socket of our own; answers for how long the session holds, 0 for ever. */
export async function authenticateSocket(
  library: Library,
  sasl: SaslOptions,
  at: Endpoint,
  send: RawExchange,
): Promise<Millis> {
  const what = `connecting to ${at.name} as ${sasl.mechanism}`;
  const handshake = library.Writer.create().appendString(sasl.mechanism, false).buffer;
  const answer = await send(API.saslHandshake, 1, handshake, false);
  const code = readInt16(answer.bytes, answer.start);
  if (code !== 0) {
    const offered = library.Reader.from(Buffer.from(answer.bytes.subarray(answer.start + 2, answer.end)));
    const names = offered.readArray((reader) => reader.readString(false), false, false);
    answer.release();
    throw failureOf(code, what, `it offers ${names.join(', ')}`);
  }
  answer.release();
  return authenticate(library, sasl, at, async (bytes) => {
    const step = library.Writer.create().appendBytes(bytes).appendTaggedFields().buffer;
    const answered = await send(API.saslAuthenticate, 2, step, true);
    const reader = library.Reader.from(Buffer.from(answered.bytes.subarray(answered.start, answered.end)));
    answered.release();
    const failed = reader.readInt16();
    const message = reader.readNullableString();
    if (failed !== 0) throw failureOf(failed, what, message);
    return { authBytes: reader.readBytes(), sessionLifetimeMs: reader.readInt64() };
  });
}
