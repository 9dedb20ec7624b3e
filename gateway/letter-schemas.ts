import { anything, millis, nullable, object, text } from './request-schemas.ts';

/** JSON Schemas of what requests for dead letters carry. */
export const LETTER_KIND = { enum: ['command', 'node', 'record'] } as const;
const base64 = { type: 'string', maxLength: 1024 * 1024 } as const;

const which = {
  kind: LETTER_KIND,
  application: text,
  workflow: text,
  execution: text,
  node: text,
  /** `exhausted` of nodes; `undecodable`, `failed`, or what is wrong with the time of a record. */
  reason: text,
  code: text,
  /** When they were given up. */
  since: millis,
  until: millis,
  limit: { type: 'integer', minimum: 1, maximum: 500 },
  after: { type: 'string', minLength: 1, maxLength: 8192 },
} as const;
export const LETTERS = object({ ...which, redriven: { type: 'boolean' } });
export const LETTER_QUERY = object({ raw: { type: 'boolean' } });
const headers = { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 256 } as const;
export const REDRIVE = nullable(
  object({
    /** Of a node what arrives at `in`, of a command the message, of a record its value as JSON; null: no value. */
    value: anything,
    valueBase64: base64,
    key: { type: ['string', 'null'] },
    keyBase64: base64,
    timestamp: millis,
    headers,
    /** Also where it was redriven before. */
    again: { type: 'boolean' },
  }),
);
export const REDRIVE_MANY = nullable(
  object({
    ...which,
    /** These alone. */
    ids: { type: 'array', items: text, minItems: 1, maxItems: 500 },
    preview: { type: 'boolean' },
    /** Of records, in place of their own. */
    timestamp: millis,
    headers,
  }),
);
