import { type Bytes, readInt32, writeInt32 } from '../core/bytes.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';
import { readText } from './text.ts';

/** A key, and which thing of that key. */
export interface Identified<K> {
  readonly key: K;
  readonly id: string;
}

const LENGTH_BYTES = 4;

/** The length of the key's bytes as int32, those bytes, then the id as UTF-8. */
export function identified<K>(inner: Serde<K>): Serde<Identified<K>> {
  const name = `identified(${inner.name})`;

  function decodeBy(key: Serde<K>['decode']): Serde<Identified<K>>['decode'] {
    return (bytes: Bytes, start: number, end: number) => {
      const keyStart = start + LENGTH_BYTES;
      const keyEnd = keyStart > end ? -1 : keyStart + readInt32(bytes, start);
      if (keyEnd < keyStart || keyEnd > end) mismatch(name, 'a length and that many bytes', `${end - start} bytes`);
      return { key: key(bytes, keyStart, keyEnd), id: readText(bytes, keyEnd, end) };
    };
  }

  const read = decodeBy((bytes, start, end) => inner.read(bytes, start, end));
  return {
    name,
    schema: { identified: inner.schema },
    decode: decodeBy((bytes, start, end) => inner.decode(bytes, start, end)),
    read,
    encode(value, out) {
      if (value === null || typeof value !== 'object') mismatchValue(name, 'a key and an id', value);
      if (typeof value.id !== 'string') mismatchValue(`${name}.id`, 'a string', value.id);
      const at = out.at;
      out.int32(0);
      inner.encode(value.key, out);
      writeInt32(out.bytes, at, out.at - at - LENGTH_BYTES);
      out.text(value.id);
    },
    view: () => read,
    cells: undefined,
  };
}
