import { readInt64 } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import { readonlyView } from '../core/flyweight.ts';
import type { Millis } from '../core/ids.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { RegisteredFormat } from './registry/registry.ts';
import type { Serde, View } from './schemas.ts';

/**
 * A key within one window. The end is exclusive, but of sliding and session windows, where it is inclusive; it is
 * Infinity where the window never ends.
 */
export interface Windowed<K> {
  readonly key: K;
  readonly start: Millis;
  readonly end: Millis;
}

/** A format of keys of windows. */
export interface WindowedSerde<K> extends Serde<Windowed<K>> {
  /** That of the key inside. */
  readonly inner: Serde<K>;
}

const START_BYTES = 8;

/**
 * Keys of time windows of one size, as Kafka Streams writes them: the inner key's bytes, then the start of
 * the window as int64. The end is not stored: it is the start plus `sizeMs`. For sliding windows the size is the
 * difference; for unlimited ones it is Infinity. Windows of other lengths have keys of {@link sessionWindowed}.
 */
export function windowed<K>(inner: Serde<K>, sizeMs: Millis): WindowedSerde<K> {
  const unlimited = sizeMs === Number.POSITIVE_INFINITY;
  if (!unlimited && (!Number.isSafeInteger(sizeMs) || sizeMs <= 0)) {
    throw new FlowError(
      'schema.invalid',
      `windowed(${inner.name}): the size must be a whole number above 0, not ${sizeMs}`,
    );
  }
  const name = `windowed(${inner.name},${unlimited ? 'unlimited' : sizeMs})`;

  const startAt = (bytes: Buffer, start: number, end: number): Millis => {
    if (end - start < START_BYTES) mismatch(name, 'a key and 8 bytes of window start', `${end - start} bytes`);
    const time = readInt64(bytes, end - START_BYTES);
    if (!Number.isSafeInteger(time)) mismatch(`${name}.start`, 'a time within ±2^53', 'a larger one');
    return time;
  };

  return {
    inner,
    name,
    schema: { windowed: inner.schema, sizeMs: unlimited ? null : sizeMs },
    decode(bytes, start, end) {
      const time = startAt(bytes, start, end);
      return { key: inner.decode(bytes, start, end - START_BYTES), start: time, end: time + sizeMs };
    },
    read(bytes, start, end) {
      const time = startAt(bytes, start, end);
      return { key: inner.read(bytes, start, end - START_BYTES), start: time, end: time + sizeMs };
    },
    encode(value, out) {
      if (value === null || typeof value !== 'object') mismatchValue(name, 'a windowed key', value);
      const time = value.start;
      if (!Number.isSafeInteger(time)) mismatchValue(`${name}.start`, 'a whole number', time);
      if (value.end !== time + sizeMs) mismatchValue(`${name}.end`, `the start plus ${sizeMs}`, value.end);
      const before = out.at;
      inner.encode(value.key, out);
      if (out.at < before) mismatch(`${name}.key`, 'bytes', 'none');
      out.int64(time);
    },
    view: () => windowedView(inner.view(), startAt, sizeMs),
    cells: undefined,
    ...(inner.registered === undefined ? {} : { registered: windowedFormat(inner.registered, sizeMs) }),
  };
}

/** The registry keeps the schema of the inner key. */
function windowedFormat<K>(inner: RegisteredFormat<K>, sizeMs: Millis): RegisteredFormat<Windowed<K>> {
  return {
    ...inner,
    bare: `windowed(${inner.bare},${sizeMs === Number.POSITIVE_INFINITY ? 'unlimited' : sizeMs})`,
    bind: (id, known) => windowed(inner.bind(id, known), sizeMs),
  };
}

function windowedView<K>(
  innerView: View<K>,
  startAt: (bytes: Buffer, start: number, end: number) => Millis,
  sizeMs: Millis,
): View<Windowed<K>> {
  let source: Buffer;
  let from = 0;
  let to = 0;
  const flyweight = readonlyView<Windowed<K>>({
    key: () => innerView(source, from, to - START_BYTES),
    start: () => startAt(source, from, to),
    end: () => startAt(source, from, to) + sizeMs,
  });
  return (bytes, start, end) => {
    if (end - start < START_BYTES) startAt(bytes, start, end);
    source = bytes;
    from = start;
    to = end;
    return flyweight;
  };
}
