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

export type { StepHead } from './step-reader.ts';
export { STEP_SCHEMA } from './step-schema.ts';
