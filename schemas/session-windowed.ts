import { readInt64 } from '../core/bytes.ts';
import { readonlyView } from '../core/flyweight.ts';
import type { Millis } from '../core/ids.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { RegisteredFormat } from './registry/registry.ts';
import type { Serde, View } from './schemas.ts';
import type { Windowed, WindowedSerde } from './windowed.ts';

const TIME_BYTES = 8;
const WINDOW_BYTES = 2 * TIME_BYTES;

/**
 * Keys of windows of any length, as Kafka Streams writes those of sessions: the inner key's bytes, then end and start
 * of the window as int64.
 */
export function sessionWindowed<K>(inner: Serde<K>): WindowedSerde<K> {
  const name = `sessionWindowed(${inner.name})`;

  const timeAt = (bytes: Buffer, at: number): Millis => {
    const time = readInt64(bytes, at);
    if (!Number.isSafeInteger(time)) mismatch(name, 'times within ±2^53', 'a larger one');
    return time;
  };

  const check = (start: number, end: number): void => {
    if (end - start < WINDOW_BYTES) mismatch(name, 'a key and 16 bytes of window', `${end - start} bytes`);
  };

  return {
    inner,
    name,
    schema: { sessionWindowed: inner.schema },
    decode(bytes, start, end) {
      check(start, end);
      const key = inner.decode(bytes, start, end - WINDOW_BYTES);
      return { key, start: timeAt(bytes, end - TIME_BYTES), end: timeAt(bytes, end - WINDOW_BYTES) };
    },
    read(bytes, start, end) {
      check(start, end);
      const key = inner.read(bytes, start, end - WINDOW_BYTES);
      return { key, start: timeAt(bytes, end - TIME_BYTES), end: timeAt(bytes, end - WINDOW_BYTES) };
    },
    encode(value, out) {
      if (value === null || typeof value !== 'object') mismatchValue(name, 'a windowed key', value);
      const { start, end } = value;
      if (!Number.isSafeInteger(start)) mismatchValue(`${name}.start`, 'a whole number', start);
      if (!Number.isSafeInteger(end)) mismatchValue(`${name}.end`, 'a whole number', end);
      const before = out.at;
      inner.encode(value.key, out);
      if (out.at < before) mismatch(`${name}.key`, 'bytes', 'none');
      out.int64(end);
      out.int64(start);
    },
    view: () => sessionView(inner.view(), timeAt, check),
    cells: undefined,
    ...(inner.registered === undefined ? {} : { registered: sessionFormat(inner.registered) }),
  };
}

/** The registry keeps the schema of the inner key. */
function sessionFormat<K>(inner: RegisteredFormat<K>): RegisteredFormat<Windowed<K>> {
  return {
    ...inner,
    bare: `sessionWindowed(${inner.bare})`,
    bind: (id, known) => sessionWindowed(inner.bind(id, known)),
  };
}

function sessionView<K>(
  innerView: View<K>,
  timeAt: (bytes: Buffer, at: number) => Millis,
  check: (start: number, end: number) => void,
): View<Windowed<K>> {
  let source: Buffer;
  let from = 0;
  let to = 0;
  const flyweight = readonlyView<Windowed<K>>({
    key: () => innerView(source, from, to - WINDOW_BYTES),
    start: () => timeAt(source, to - TIME_BYTES),
    end: () => timeAt(source, to - WINDOW_BYTES),
  });
  return (bytes, start, end) => {
    check(start, end);
    source = bytes;
    from = start;
    to = end;
    return flyweight;
  };
}
