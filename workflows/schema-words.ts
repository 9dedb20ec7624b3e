import type { ErrorObject } from 'ajv/dist/2020.js';
import { nearest } from '../core/nearest.ts';
import { quoted } from './faults.ts';
import { segmentsOf } from './template.ts';

/** What a fault of a JSON Schema means, in words. */
export interface SchemaWords {
  /** From the top of what was judged. */
  readonly path: readonly string[];
  /** Behind the name of the place: `must be text`. */
  readonly message: string;
  readonly cure: string;
  readonly unknownField: boolean;
}

interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [name: string]: unknown };
}

/** Faults of the branches of a choice say less than the fault of the choice itself. */
export function isWithinChoice({ schemaPath }: ErrorObject): boolean {
  return /\/(oneOf|anyOf)\/\d/.test(schemaPath);
}

export function wordsOf(error: ErrorObject): SchemaWords {
  const path = segmentsOf(error.instancePath);
  const schema = (typeof error.parentSchema === 'object' ? error.parentSchema : {}) as Schema;
  const { params } = error as { readonly params: { readonly [name: string]: unknown } };
  const plain = (message: string, cure = 'Correct it.') => ({ path, message, cure, unknownField: false });
  switch (error.keyword) {
    case 'required':
      return plain(`has no ${String(params['missingProperty'])}`, 'Add it.');
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys(schema.properties ?? {});
      const [near] = nearest(name, known);
      const message = `has no field ${quoted(name)}`;
      const cure = near !== undefined ? `Did you mean ${near}?` : `Remove it. Known are ${listed(known)}.`;
      return { path: [...path, name], message, cure, unknownField: true };
    }
    case 'propertyNames':
      return { ...plain(`cannot be a name`, 'Choose another one.'), path: [...path, String(params['propertyName'])] };
    case 'type':
      return plain(`must be ${typeWords(schema.type)}, not ${kindOf(error.data)}`);
    case 'enum':
      return plain(`must be one of ${listed((schema.enum ?? []).map((one) => JSON.stringify(one)))}`);
    case 'const':
      return plain(`must be ${JSON.stringify(params['allowedValue'])}`);
    case 'minItems':
    case 'minLength':
      return plain('must not be empty', 'Fill it in.');
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return plain(`must be ${String(params['comparison'])} ${String(params['limit'])}`);
    case 'pattern':
    case 'oneOf':
    case 'anyOf':
    case 'not':
      return plain(
        schema.description === undefined ? (error.message ?? 'does not fit') : `must be ${schema.description}`,
      );
    default:
      return plain(error.message ?? 'does not fit');
  }
}

const TYPES: { readonly [type: string]: string } = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'an object',
};

function typeWords(type: Schema['type']): string {
  return [type ?? []]
    .flat()
    .map((one) => TYPES[one] ?? one)
    .join(' or ');
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return TYPES[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}

export function listed(names: readonly string[]): string {
  if (names.length > 20) return `${names.slice(0, 20).join(', ')} and others`;
  return names.length === 0 ? 'none' : names.join(', ');
}
