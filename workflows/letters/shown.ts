import { ERRORS, FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { FailureClass } from '../../events/events.ts';
import { type LetterRecord, type RecordChange, type RecordLetter, readLetterId } from '../../runtime/runtime.ts';
import { redact, redactText } from '../../telemetry/telemetry.ts';
import { CONTROL_APPLICATION } from '../control/program.ts';
import { SEGMENT_DEAD_LETTERS } from '../segments/segments.ts';
import type { LetterChange, LetterQuery, LetterView, ShownBytes, WholeLetter } from './letters.ts';

/** A letter of a record as it is listed: of a segment in the words of its document. */
export function viewOfRecord(letter: RecordLetter): LetterView {
  const { id, at, application, task, node, from, reason, code, message, redrives, redriven, told } = letter;
  return {
    ...{ id, kind: isOfCommands(letter) ? 'command' : 'record', at, application, task, from },
    workflow: told['workflow'] ?? null,
    execution: told['execution'] ?? null,
    node: told['owner'] ?? node,
    iteration: told['iteration'] ?? '',
    ...{ reason, class: classOf(code), code, message, redrives, redriven },
  };
}

/** Given up by the control plane. */
export function isOfCommands({ application }: RecordLetter): boolean {
  return application === CONTROL_APPLICATION;
}

export function isOfSegments({ id }: RecordLetter): boolean {
  return readLetterId(id)?.topic === SEGMENT_DEAD_LETTERS;
}

function classOf(code: string | null): FailureClass | null {
  if (code === null || !Object.hasOwn(ERRORS, code)) return null;
  return ERRORS[code as keyof typeof ERRORS].kind.toUpperCase() as FailureClass;
}

export function wholeRecord({ record, hidden, ofNode }: RecordLetter, raw: boolean): WholeLetter['record'] {
  const { key, value, timestamp, headers } = record;
  const shownHeaders = headers.map(({ name, value: bytes }) => ({ name, value: shown(bytes, raw) }));
  return { key: shown(key, raw), value: shown(value, raw), timestamp, headers: shownHeaders, hidden, ofNode };
}

function shown(bytes: LetterRecord['key'] | Uint8Array, raw: boolean): ShownBytes | null {
  if (bytes === null) return null;
  const held = Buffer.from(bytes);
  if (raw) return { bytes: held.length, base64: held.toString('base64') };
  const text = textOf(held);
  if (text === undefined) return { bytes: held.length };
  const json = jsonOf(text);
  return json === undefined
    ? { bytes: held.length, text: redactText(text) }
    : { bytes: held.length, json: redact(json) as Json };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** What is asked for in JSON, as bytes. Fails with `dead-letter.unfit`. */
export function bytesOfChange(id: string, change: LetterChange = {}): RecordChange {
  const { timestamp, headers } = change;
  const key = part(id, 'key', change.keyBase64, change.key, (text) => text);
  const value = part(id, 'value', change.valueBase64, change.value, (json) => JSON.stringify(json));
  return {
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(headers === undefined
      ? {}
      : { headers: Object.entries(headers).map(([name, text]) => ({ name, value: Buffer.from(text) })) }),
  };
}

function part<T>(
  id: string,
  what: string,
  base64: string | undefined,
  given: T | null | undefined,
  write: (given: T) => string,
): Buffer | null | undefined {
  if (base64 === undefined) {
    if (given === undefined) return undefined;
    return given === null ? null : Buffer.from(write(given));
  }
  if (given !== undefined) throw unfit(id, `it has ${what} and ${what}Base64; give one of them`);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
    throw unfit(id, `${what}Base64 is no base64`);
  }
  return bytes;
}

export function unfit(id: string, why: string): FlowError {
  return new FlowError('dead-letter.unfit', `${id} cannot be sent so: ${why}`);
}

/** Whether a letter is one that a query asks for. */
export function fits(view: LetterView, query: LetterQuery): boolean {
  const { redriven, since, until } = query;
  for (const name of ['kind', 'application', 'workflow', 'execution', 'node', 'reason', 'code'] as const) {
    if (query[name] !== undefined && view[name] !== query[name]) return false;
  }
  if (since !== undefined && view.at < since) return false;
  if (until !== undefined && view.at >= until) return false;
  return redriven === undefined || (view.redriven !== null) === redriven;
}
