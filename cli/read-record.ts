import { FlowError, isFlowError, messageOf } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { HeaderPair } from '../log/batch.ts';
import type { Serde } from '../schemas/schemas.ts';

/** A record as a line says it; what is not encoded yet is a value as its serde takes it. */
export interface WrittenRecord {
  readonly key: unknown;
  readonly value: unknown;
  readonly timestamp: Millis | undefined;
  readonly headers: readonly HeaderPair[];
}

const FIELDS = ['key', 'value', 'timestamp', 'headers'];
/** What `consume --json` prints besides; it says where a record was, not where it goes. */
const IGNORED = ['topic', 'partition', 'position'];

/** A line that is a JSON object: `{ key, value, timestamp?, headers? }`. Fails with `input.invalid`. */
export function recordOfJson(line: string): WrittenRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw invalid('it is no JSON; use --plain where lines are values as they stand');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalid('it is no object with key and value; use --plain where lines are values as they stand');
  }
  const unknown = Object.keys(parsed).find((name) => !FIELDS.includes(name) && !IGNORED.includes(name));
  if (unknown !== undefined) throw invalid(`it has a field ${unknown}; a record has ${FIELDS.join(', ')}`);
  const { key = null, value, timestamp, headers = {} } = parsed as { readonly [field: string]: unknown };
  if (value === undefined) throw invalid('it has no value; a value of null deletes its key');
  return { key, value, timestamp: timestampOf(timestamp), headers: headersOf(headers) };
}

function timestampOf(written: unknown): Millis | undefined {
  if (written === undefined) return undefined;
  const time = typeof written === 'string' ? Date.parse(written) : written;
  if (typeof time === 'number' && Number.isSafeInteger(time) && time >= 0) return time;
  throw invalid(`its timestamp ${JSON.stringify(written)} is neither milliseconds nor a date and time`);
}

function headersOf(written: unknown): readonly HeaderPair[] {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    throw invalid('its headers are no object of names and texts');
  }
  return Object.entries(written).map(([name, value]) => {
    if (value === null) return { name, value };
    if (typeof value !== 'string') throw invalid(`its header ${name} is ${JSON.stringify(value)}, not a text`);
    return { name, value: Buffer.from(value) };
  });
}

/** A line that is a value, or a key and a value with a separator between them. Fails with `input.invalid`. */
export function recordOfText(
  line: string,
  separator: string | undefined,
  serdes: { readonly key: Serde<unknown>; readonly value: Serde<unknown> },
): WrittenRecord {
  const at = separator === undefined ? -1 : line.indexOf(separator);
  if (separator !== undefined && at < 0) throw invalid(`there is no ${JSON.stringify(separator)} behind its key`);
  return {
    key: at < 0 ? null : ofText(serdes.key, line.slice(0, at)),
    value: ofText(serdes.value, at < 0 ? line : line.slice(at + separator!.length)),
    timestamp: undefined,
    headers: [],
  };
}

const NUMBERS = ['int32', 'int64', 'double'];

function ofText(serde: Serde<unknown>, text: string): unknown {
  if (serde.name === 'string' || serde.name === 'bytes') return text;
  if (NUMBERS.includes(serde.name)) {
    const number = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(number)) throw invalid(`${JSON.stringify(text)} is no number, as ${serde.name} needs`);
    return number;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${JSON.stringify(text.slice(0, 80))} is no JSON, as ${serde.name} needs`);
  }
}

/** The bytes of a key or a value; bytes are written as base64. Fails with `input.invalid`. */
export function encoded(serde: Serde<unknown>, value: unknown, what: string, encode: Encode): Buffer | null {
  if (value === null) return null;
  try {
    return encode(serde, serde.name === 'bytes' && typeof value === 'string' ? ofBase64(value) : value);
  } catch (thrown) {
    if (isFlowError(thrown, 'input.invalid')) throw thrown;
    throw invalid(`its ${what} does not fit: ${messageOf(thrown)}; choose another with --${what}-serde`);
  }
}

type Encode = (serde: Serde<unknown>, value: unknown) => Buffer;

function ofBase64(text: string): Buffer {
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0) return Buffer.from(text, 'base64');
  throw invalid(`${JSON.stringify(text.slice(0, 80))} is no base64, as bytes are written`);
}

export function invalid(message: string): FlowError {
  return new FlowError('input.invalid', message);
}
