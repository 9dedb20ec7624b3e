import {
  type At,
  CAUSES,
  type Continues,
  EVENT_TYPES,
  type EventType,
  type FailureInfo,
  LAST,
  type NamedEvent,
  type Next,
  STATUSES,
  type StepEvent,
  TIMERS,
} from '../events/events.ts';
import { list, mapOf, orNull, shape, whole, wholeOrNull, words, yes } from './answer-shapes.ts';
import { anything, nullable } from './request-schemas.ts';

/** JSON Schemas of what has happened: the events of steps, as a history holds them, and those that clients are told. */
type Of<Type, Event = StepEvent> = Event extends { readonly type: infer Types }
  ? Type extends Types
    ? Omit<Event, 'type'>
    : never
  : never;
/** The fields of an event beside its type, and those of them that may be left out. */
type Fields<Event> = readonly [
  properties: { readonly [Name in keyof Event]-?: object },
  optional?: readonly (keyof Event & string)[],
];

const status = { enum: STATUSES } as const;
const statusOrNull = { enum: [...STATUSES, null] } as const;
const cause = { enum: CAUSES } as const;
const decision = { enum: ['retry', 'fail', 'route', 'continue', 'hold', 'dead-letter'] } as const;
const mode = { enum: ['realtime', 'batch', 'streaming'] } as const;
const at = { node: whole, iteration: words } as const;
const place = shape<At>(at);
const timer = { timer: { enum: TIMERS }, ...at, due: whole, attempt: whole } as const;
const by = { by: orNull } as const;
const keys = list(words);
const failure = shape<FailureInfo>(
  {
    class: { enum: ['TRANSIENT', 'PERMANENT', 'SYSTEM', 'USER'] },
    ...{ code: words, message: words, instance: words, detail: anything },
  },
  ['detail'],
);
const continues = shape<Continues>(
  { execution: words, first: words, number: whole, children: mapOf({ type: 'object' }) },
  ['children'],
);
const forkOf = nullable(shape<{ execution: unknown; seq: unknown }>({ execution: words, seq: whole }));
const counts = shape<{ [Status in (typeof LAST)[number]]: unknown }>({
  COMPLETED: whole,
  FAILED: whole,
  CANCELLED: whole,
});
const last = { enum: LAST } as const;

const STEP_EVENTS: { readonly [Type in StepEvent['type']]: Fields<Of<Type>> } = {
  started: [
    {
      ...{
        workflow: words,
        version: words,
        input: anything,
        mode,
        user: orNull,
        priority: whole,
        deadline: wholeOrNull,
      },
      ...{
        labels: mapOf(words),
        idempotencyKey: orNull,
        selected: nullable(list(whole)),
        pins: nullable(mapOf(anything)),
      },
      parent: nullable(shape<{ execution: unknown; at: unknown }>({ execution: words, at: place })),
      ...{ forkOf, outputs: mapOf(mapOf(anything)), continues },
    },
    ['outputs', 'continues'],
  ],
  node: [{ ...at, attempt: whole, from: statusOrNull, to: status, cause }],
  output: [{ ...at, port: words, value: anything, bytes: whole }],
  delivered: [{ ...at, taken: list(whole), skipped: list(whole) }],
  'attempt-failed': [{ ...at, attempt: whole, error: failure, decision, retryAt: wholeOrNull }],
  waiting: [
    {
      ...at,
      on: { enum: ['signal', 'approval', 'child', 'segment', 'task', 'delay', 'intervention', 'iterations'] },
      ...{ token: words, detail: anything },
    },
  ],
  'wait-ended': [{ ...at, token: words, ...by }],
  'timer-set': [timer],
  'timer-cleared': [timer],
  iterations: [{ ...at, count: whole, items: nullable(list(anything)), atOnce: whole }],
  iteration: [
    { ...at, index: whole, to: { enum: ['begun', 'failing', 'failed', 'ended', 'closing'] }, value: anything },
  ],
  progress: [{ ...at, value: anything }],
  checkpoint: [{ ...at, number: whole, value: anything }],
  'signal-stored': [{ name: words, id: words, payload: anything }],
  'signal-taken': [{ name: words, id: words }],
  compensating: [{ error: failure, order: keys }],
  patched: [
    {
      ...{ revision: whole, ops: list({ type: 'object' }), ...by },
      ...{ added: list(whole), removed: list(whole), removedEdges: list(whole) },
    },
  ],
  deferred: [{ nodes: keys }],
  paused: [by],
  resumed: [by],
  cancelling: [{ reason: words, ...by }],
  ending: [by],
  savepoint: [{ next: nullable(shape<Next>({ version: words, nodes: keys })), ...by }],
  intervened: [{ ...at, action: words, value: anything, given: { const: true }, ...by }, ['given']],
  'dead-letter': [{ ...at, id: words, reason: words }],
  redriven: [{ id: words }],
  annotated: [{ ...at, text: words, ...by }],
  ended: [{ status: last, degraded: yes, output: anything, error: nullable(failure), counts }, ['counts']],
  'session-asked': [{ name: words, id: words, keys }],
  'session-held': [{ name: words, id: words, holder: words, keys, values: mapOf(anything) }],
  'session-written': [{ ...at, key: words, value: anything }],
  'session-queued': [{ execution: words, keys, ttlMs: whole }],
  'session-left': [{ execution: words }],
  'session-granted': [{ execution: words, ttlMs: whole }],
  'session-put': [{ key: words, value: anything }],
  'session-returned': [{ execution: words, expiresAt: whole }],
  'session-emptied': [{ why: { enum: ['cleared', 'expired'] }, ...by }],
  rejected: [{ code: words, why: words }],
};

/** Nodes are numbers in the graph of the revision. */
export const STEP_EVENT = {
  oneOf: Object.entries(STEP_EVENTS).map(([type, [properties, optional = []]]) =>
    shape<{ readonly [name: string]: unknown }>({ type: { const: type }, ...properties }, optional),
  ),
};

const sample = { bytes: whole, reference: words, cut: yes } as const;
const data = (properties: { readonly [name: string]: object }) => shape<typeof properties>(properties);
/** By type; one of several forms where an event stands for several kinds of step event. */
const DATA: { readonly [Type in EventType]: readonly object[] } = {
  NODE_STATE_CHANGED: [data({ from: statusOrNull, to: status, attempt: whole, cause, trigger: words })],
  DATA_AVAILABLE: [data({ port: words, ...sample, schema: orNull, sample: anything })],
  EXECUTION_STARTED: [
    data({
      ...{ version: words, definition: words, inputHash: words, mode, user: orNull, priority: whole },
      ...{ deadline: wholeOrNull, labels: mapOf(words), parent: orNull, forkOf, cause: words },
    }),
  ],
  EXECUTION_COMPLETED: [
    data({
      ...{ status: last, degraded: yes, counters: nullable(counts), ...sample },
      ...{ output: anything, error: nullable(failure) },
    }),
  ],
  ERROR_OCCURRED: [
    data({ attempt: whole, error: failure, decision, retryAt: wholeOrNull }),
    data({ deadLetter: words, reason: words }),
    data({ code: words, why: words, trigger: words }),
  ],
};

export const NAMED_EVENT = {
  oneOf: EVENT_TYPES.flatMap((type) =>
    DATA[type].map((each) =>
      shape<NamedEvent>({
        ...{ type: { const: type }, workflow: words, execution: words, seq: whole, index: whole, at: whole },
        ...{ node: orNull, nodeType: orNull, iteration: words, data: each },
      }),
    ),
  ),
};
