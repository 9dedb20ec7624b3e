import type { Bytes, ByteWriter } from '../core/bytes.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { mismatchValue } from './mismatch.ts';
import type { Serde } from './schemas.ts';
import { appendText, utf8 } from './text.ts';

export interface JsonOptions<T> {
  readonly fields?: readonly (keyof T & string)[];
}

export function json<T = unknown>(_options: JsonOptions<T> = {}): Serde<T> {
  const decode = (bytes: Bytes, start: number, end: number): T => {
    try {
      return JSON.parse(utf8(bytes, start, end)) as T;
    } catch (cause) {
      throw new FlowError('schema.mismatch', `json: ${messageOf(cause)}`);
    }
  };
  return {
    name: 'json',
    schema: 'json',
    decode,
    encode(value: T, out: ByteWriter) {
      const text = JSON.stringify(value);
      if (text === undefined) mismatchValue('json', 'a JSON value', value);
      appendText(out, text);
    },
    view: () => decode,
    cells: undefined,
  };
}
