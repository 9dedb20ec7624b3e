import { EVENT_TYPES, STATUSES } from '../events/events.ts';

/** JSON Schemas of what requests carry: fastify judges by them, and OpenAPI is made of them. */
export const text = { type: 'string', minLength: 1, maxLength: 512 } as const;
export const anything = {} as const;
export const millis = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const labels = { type: 'object', additionalProperties: { type: 'string', maxLength: 512 }, maxProperties: 64 } as const;
const names = { type: 'array', items: text, minItems: 1, maxItems: 10_000 } as const;

export function object<Properties extends object>(
  properties: Properties,
  required: readonly (keyof Properties & string)[] = [],
) {
  return { type: 'object', properties, required, additionalProperties: false } as const;
}

/** A body that may be left out. */
export function nullable<Schema extends object>(schema: Schema) {
  return { anyOf: [schema, { type: 'null' }] } as const;
}

export const ID = object({ id: text }, ['id']);
export const ID_SEQ = object({ id: text, seq: { type: 'integer', minimum: 0 } }, ['id', 'seq']);
export const ID_NODE = object({ id: text, node: text }, ['id', 'node']);
export const ID_NAME = object({ id: text, name: text }, ['id', 'name']);
const seq = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;
export const OUTPUT = object({ execution: text, seq }, ['execution', 'seq']);
export const OUTPUT_OF_NODE = object({ execution: text, seq, node: text, port: text }, [
  'execution',
  'seq',
  'node',
  'port',
]);
export const TOKEN = object({ token: text }, ['token']);
export const VERSION_QUERY = object({ version: text });
export const ITERATION_QUERY = object({ iteration: { type: 'string', maxLength: 128 } });

export const START = object(
  {
    workflow: text,
    input: anything,
    version: text,
    execution: text,
    mode: { enum: ['realtime', 'batch', 'streaming'] },
    priority: { type: 'integer', minimum: 0, maximum: 9 },
    deadline: millis,
    labels,
    select: object({ nodes: names, closure: { enum: ['ancestors', 'descendants', 'none'] } }, ['nodes']),
    pins: { type: 'object' },
  },
  ['workflow'],
);
export const FORK = object({ seq: { type: 'integer', minimum: 0 }, execution: text, version: text, labels }, ['seq']);
export const CANCEL = object({ reason: { type: 'string', maxLength: 2000 }, node: text });
export const UPGRADE = object({ version: text }, ['version']);
export const RETRY = object({ node: text }, ['node']);
export const INTERVENE = object(
  {
    action: { enum: ['retry', 'output', 'skip', 'fail'] },
    input: anything,
    value: anything,
    iteration: { type: 'string', maxLength: 128 },
  },
  ['action'],
);
export const PATCH = object(
  {
    baseRevision: { type: 'integer', minimum: 0 },
    ops: { type: 'array', items: { type: 'object' }, minItems: 1, maxItems: 1000 },
  },
  ['baseRevision', 'ops'],
);
export const APPROVE = object({ decision: { enum: ['approved', 'rejected'] }, value: anything }, ['decision']);

const time = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$',
} as const;
export const WORKFLOW = object({ workflow: text }, ['workflow']);
export const SESSION = object({ name: text, id: text }, ['name', 'id']);
export const SESSION_QUERY = object({ at: millis });
export const BACKFILL = object({ from: time, until: time }, ['from', 'until']);

export const LIST = object({
  workflow: text,
  /** Several with commas between. */
  status: { type: 'string', pattern: `^(${STATUSES.join('|')})(,(${STATUSES.join('|')}))*$` },
  startedAfter: millis,
  startedBefore: millis,
  /** `name=value`, several times. */
  label: { type: 'array', items: { type: 'string', pattern: '^[^=]+=.*$' }, maxItems: 16 },
  text: { type: 'string', minLength: 1, maxLength: 200 },
  degraded: { type: 'boolean' },
  limit: { type: 'integer', minimum: 1, maximum: 500 },
  after: text,
});
export const EVENTS = object({
  workflow: text,
  execution: text,
  node: text,
  /** Several with commas between. */
  types: { type: 'string', pattern: `^(${EVENT_TYPES.join('|')})(,(${EVENT_TYPES.join('|')}))*$` },
  /** The cursor of the last message that was taken: the feed goes on behind it. Default: from now on. */
  from: { type: 'string', pattern: '^\\d{1,16}(\\.\\d{1,16})*$' },
});
