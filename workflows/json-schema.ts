import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { messageOf } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';

/** JSON Schemas of draft 2020-12, compiled once each. */

/** Checks of one schema: all its faults at once. */
export type SchemaCheck = (value: unknown) => readonly ErrorObject[];

/** Formats are notes, as the draft has it by default; the words of each field come from its schema. */
const make = () =>
  new Ajv2020({ allErrors: true, verbose: true, strict: false, validateFormats: false, logger: false });

const compiled = new WeakMap<object, SchemaCheck>();

export function schemaCheck(schema: Json): SchemaCheck {
  if (schema === true || typeof schema !== 'object' || schema === null) return () => [];
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  // an instance each: schemas of users may have equal ids
  const validate: ValidateFunction = make().compile(schema);
  const check: SchemaCheck = (value) => (validate(value) ? [] : [...(validate.errors ?? [])]);
  compiled.set(schema, check);
  return check;
}

/** Why something is no schema. */
export function schemaFault(schema: Json): string | undefined {
  if (typeof schema === 'boolean') return undefined;
  try {
    schemaCheck(schema);
    return typeof schema === 'object' && schema !== null ? undefined : 'it is neither an object nor true or false';
  } catch (thrown) {
    return messageOf(thrown);
  }
}
