import type { FailureInfo } from '../../events/events.ts';
import { jsonBytes } from './json-bytes.ts';
import { MAX_VALUE_BYTES } from './limits.ts';

export type Sized =
  | { readonly bytes: number; readonly error?: undefined }
  | { readonly bytes?: undefined; readonly error: FailureInfo };

/** How many bytes a value has that may be kept, or why it may not: `what` says which it is, `cure` what to give instead. */
export function sized(value: unknown, what: string, cure: string, instance: string): Sized {
  const bytes = jsonBytes(value);
  return mayBeKept(bytes) ? { bytes } : { error: whyNotKept(bytes, what, cure, instance) };
}

/** Of a value with so many bytes, -1 where it is no JSON. */
export function mayBeKept(bytes: number): boolean {
  return bytes >= 0 && bytes <= MAX_VALUE_BYTES;
}

export function whyNotKept(bytes: number, what: string, cure: string, instance: string): FailureInfo {
  if (bytes < 0) {
    const message = `${what} is not JSON: give plain objects, lists, texts, finite numbers`;
    return { class: 'PERMANENT', code: 'workflow.bad-output', message, instance };
  }
  const message = `${what} has ${bytes} bytes, more than ${MAX_VALUE_BYTES}: ${cure}`;
  return { class: 'PERMANENT', code: 'workflow.value-too-large', message, instance };
}
