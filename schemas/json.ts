import type { Bytes } from '../core/bytes.ts';
import { FlowError, messageOf } from '../core/errors.ts';
import { readonlyView } from '../core/flyweight.ts';
import { isObject, JsonScan, parseJson, readValue } from './json-scan.ts';
import { mismatch, mismatchValue } from './mismatch.ts';
import type { Serde, View } from './schemas.ts';
import { appendText } from './text.ts';

export interface JsonOptions<T> {
  /**
   * The top-level fields that the value has, which views then read on demand. Any other field is not part of
   * the value, though it stays in the bytes as long as they are passed on. Without this option, views parse whole documents.
   */
  readonly fields?: readonly (keyof T & string)[];
}

/** JSON documents in UTF-8. `T` is a promise of the caller; bytes are not checked against it. */
export function json<T = unknown>(options: JsonOptions<T> = {}): Serde<T> {
  const { fields } = options;
  if (fields === undefined) return wholeJson<T>();
  for (const field of fields) {
    if (field === '__proto__') throw new FlowError('schema.invalid', `json: the field name ${field} is not allowed`);
  }
  return jsonOfFields<T>([...new Set(fields)]);
}

function wholeJson<T>(): Serde<T> {
  const decode = (bytes: Bytes, start: number, end: number): T => parseJson(bytes, start, end, 'json') as T;
  return {
    name: 'json',
    schema: 'json',
    decode,
    read: decode,
    encode: writeJson,
    view: () => decode,
    cells: undefined,
  };
}

/** Where a flyweight stands, so that encoding it is copying. */
interface Origin {
  bytes: Bytes;
  start: number;
  end: number;
  scanned: boolean;
  readonly scan: JsonScan;
}

function jsonOfFields<T>(fields: readonly string[]): Serde<T> {
  const name = `json(${fields.join(',')})`;
  const origins = new WeakMap<object, Origin>();

  function decode(bytes: Bytes, start: number, end: number): T {
    const value = parseJson(bytes, start, end, name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as T;
    const chosen: Record<string, unknown> = {};
    for (const field of fields) {
      chosen[field] = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
    }
    return chosen as T;
  }

  function view(): View<T> {
    const origin: Origin = { bytes: NONE, start: 0, end: 0, scanned: false, scan: new JsonScan(fields, name) };
    const getters: Record<string, () => unknown> = {};
    fields.forEach((field, i) => {
      const where = `${name}.${field}`;
      getters[field] = () => {
        const { bytes, scan } = scanned(origin);
        const at = scan.starts[i]!;
        return at < 0 ? undefined : readValue(bytes, at, scan.ends[i]!, where);
      };
    });
    const flyweight = readonlyView(getters) as T & object;
    origins.set(flyweight, origin);
    return (bytes, start, end) => {
      if (!isObject(bytes, start, end)) return decode(bytes, start, end);
      origin.bytes = bytes;
      origin.start = start;
      origin.end = end;
      origin.scanned = false;
      return flyweight;
    };
  }

  return {
    name,
    schema: { json: fields },
    decode,
    read: decode,
    encode(value, out) {
      const origin = typeof value === 'object' && value !== null ? origins.get(value) : undefined;
      if (origin === undefined) writeJson(value, out);
      else {
        const { bytes, start, end } = scanned(origin);
        out.copy(bytes, start, end);
      }
    },
    view,
    cells: undefined,
  };
}

const NONE: Bytes = Buffer.alloc(0);

function scanned(origin: Origin): Origin {
  if (!origin.scanned) {
    origin.scan.scan(origin.bytes, origin.start, origin.end);
    origin.scanned = true;
  }
  return origin;
}

const writeJson: Serde<unknown>['encode'] = (value, out) => {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    mismatch('json', 'a value that JSON can hold', messageOf(cause).slice(0, 64));
  }
  if (text === undefined) mismatchValue('json', 'a value that JSON can hold', value);
  appendText(out, text);
};
