import type { LetterView, WholeLetter } from '../workflows/workflows.ts';
import { anything, millis, nullable, object, text } from './request-schemas.ts';

/** JSON Schemas of dead letters: what requests carry, and what answers hold. */
const kind = { enum: ['command', 'node', 'record'] } as const;
const orNull = { type: ['string', 'null'] } as const;
const base64 = { type: 'string', maxLength: 1024 * 1024 } as const;

const which = {
  kind,
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
    key: orNull,
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

const place = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { topic: { type: 'string' }, partition: { type: 'integer' }, position: { type: 'integer' } },
} as const;
const mark = { at: { type: 'integer' }, by: orNull, to: place, times: { type: 'integer' } } as const;
const shown = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { bytes: { type: 'integer' }, text: { type: 'string' }, json: anything, base64: { type: 'string' } },
} as const;
const header = {
  type: 'object',
  additionalProperties: false,
  properties: { name: { type: 'string' }, value: shown },
} as const;

const view = {
  id: { type: 'string' },
  kind,
  at: { type: 'integer' },
  ...{ application: orNull, task: orNull, workflow: orNull, execution: orNull, node: orNull },
  iteration: { type: 'string' },
  /** Where it was read. */
  from: place,
  reason: { type: 'string' },
  ...{ class: orNull, code: orNull },
  message: { type: 'string' },
  /** How often what it holds had been redriven before. */
  redrives: { type: 'integer' },
  redriven: { type: ['object', 'null'], additionalProperties: false, properties: mark },
} as const satisfies { readonly [Name in keyof LetterView]: object };
const row = { type: 'object', additionalProperties: false, properties: view, required: Object.keys(view) } as const;
export const LETTER_PAGE = object({ rows: { type: 'array', items: row }, next: orNull });
export const LETTER = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...view,
    record: {
      type: ['object', 'null'],
      additionalProperties: false,
      properties: {
        ...{ key: shown, value: shown },
        timestamp: { type: 'integer' },
        headers: { type: 'array', items: header },
        hidden: { type: 'array', items: { type: 'string' } },
        ofNode: { type: 'boolean' },
      },
    },
    input: anything,
  } satisfies { readonly [Name in keyof WholeLetter]: object },
  required: [...Object.keys(view), 'record', 'input'],
} as const;
export const REDRIVEN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    id: { type: 'string' },
    kind,
    existing: { type: 'boolean' },
    ...mark,
    execution: orNull,
    seq: { type: ['integer', 'null'] },
  },
  required: ['id', 'kind', 'existing'],
} as const;
const outcome = {
  type: 'object',
  additionalProperties: false,
  properties: {
    id: { type: 'string' },
    kind: { enum: ['command', 'node', 'record', null] },
    outcome: { enum: ['redriven', 'existing', 'ready', 'refused'] },
    ...mark,
    ...{ code: { type: 'string' }, why: { type: 'string' } },
  },
} as const;
export const REDRIVEN_PAGE = object({ rows: { type: 'array', items: outcome }, next: orNull });
