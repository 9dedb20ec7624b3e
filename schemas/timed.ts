import { readInt64 } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';

/** A key at a time. */
export interface Timed<K> {
  readonly time: Millis;
  readonly key: K;
}

const TIME_BYTES = 8;

/**
 * Keys that lie in order of time, then of the inner key's bytes: the time as int64, then those bytes. The time is not
 * negative, so that the order of bytes is that of times.
 */
export function timed<K>(inner: Serde<K>): Serde<Timed<K>> {
  const name = `timed(${inner.name})`;

  function timeAt(bytes: Buffer, start: number, end: number): Millis {
    if (end - start < TIME_BYTES) mismatch(name, '8 bytes of time and a key', `${end - start} bytes`);
    const time = readInt64(bytes, start);
    if (!Number.isSafeInteger(time) || time < 0) mismatch(`${name}.time`, 'a time from 0 to 2^53', 'another one');
    return time;
  }

  function read(bytes: Buffer, start: number, end: number): Timed<K> {
    const time = timeAt(bytes, start, end);
    return { time, key: inner.read(bytes, start + TIME_BYTES, end) };
  }

  return {
    name,
    schema: { timed: inner.schema },
    decode(bytes, start, end) {
      const time = timeAt(bytes, start, end);
      return { time, key: inner.decode(bytes, start + TIME_BYTES, end) };
    },
    read,
    encode(value, out) {
      if (value === null || typeof value !== 'object') mismatchValue(name, 'a key at a time', value);
      const { time } = value;
      if (!Number.isSafeInteger(time) || time < 0) mismatchValue(`${name}.time`, 'a whole number from 0 on', time);
      out.int64(time);
      inner.encode(value.key, out);
    },
    view: () => read,
    cells: undefined,
  };
}
