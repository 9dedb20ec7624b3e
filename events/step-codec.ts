import type { Bytes } from '../core/bytes.ts';
import type { StepRecord } from './events.ts';
import { type StepHead, StepReader } from './step-reader.ts';
import { StepWriter } from './step-writer.ts';

/**
 * Step records as bytes: one that tells the version of the format, then Avro by {@link STEP_SCHEMA}. Every version that
 * was ever written stays readable; `golden/` holds records of each.
 */
const writer = new StepWriter();
const reader = new StepReader();

export function encodeStep(record: StepRecord): Bytes {
  return writer.encode(record);
}

export function decodeStep(bytes: Bytes, start = 0, end = bytes.length): StepRecord {
  return reader.read(bytes, start, end);
}

/** Without the events: for those who only ask whose record it is. */
export function stepHead(bytes: Bytes, start = 0, end = bytes.length): StepHead {
  return reader.head(bytes, start, end);
}

/** An execution's id as its step records begin with it, for {@link isStepOf}. */
export function stepName(execution: string): Bytes {
  const id = Buffer.from(execution);
  const length: number[] = [];
  let left = id.length * 2;
  for (; left > 127; left = Math.floor(left / 128)) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), id]);
}

/** Whether a step record is of an execution, without decoding anything. */
export function isStepOf(bytes: Bytes, start: number, end: number, name: Bytes): boolean {
  const from = start + 1;
  if (from + name.length > end) return false;
  // ids that were made one after the other begin alike
  for (let i = name.length - 1; i >= 0; i--) if (bytes[from + i] !== name[i]) return false;
  return true;
}

export type { StepHead } from './step-reader.ts';
export { STEP_SCHEMA } from './step-schema.ts';
