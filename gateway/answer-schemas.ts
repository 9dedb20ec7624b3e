import { STATUSES, type StepRecord } from '../events/events.ts';
import type { ExecutionRow } from '../projections/projections.ts';
import type {
  Backfilled,
  DocumentFault,
  EdgeView,
  ExecutionView,
  Explanation,
  NodeView,
  OutputView,
  RecordFigures,
  ScheduleView,
  SessionView,
} from '../workflows/workflows.ts';
import { list, mapOf, orNull, pageOf, rowsOf, shape, whole, wholeOrNull, words, yes } from './answer-shapes.ts';
import { NAMED_EVENT, STEP_EVENT } from './event-schemas.ts';
import { PROBLEM_TYPE, type Problem } from './problem.ts';
import { anything, nullable } from './request-schemas.ts';

/**
 * JSON Schemas of what answers hold. They describe and do not serialise: an answer is the JSON of what a handler gives,
 * so that nothing is left out of it unseen. Tests judge every answer by what is described here.
 */
const status = { enum: STATUSES } as const;
const mode = { enum: ['realtime', 'batch', 'streaming'] } as const;

const problem = {
  description: 'What is wrong, and what to do about it',
  content: {
    [PROBLEM_TYPE]: {
      schema: shape<Problem>(
        { type: words, title: words, status: whole, detail: words, code: words, cure: words, faults: list(anything) },
        ['faults'],
      ),
    },
  },
} as const;
/** Of every route: what it was not asked rightly, and what could not be done. */
export const PROBLEMS = { '4xx': problem, '5xx': problem } as const;

export const ANSWER = shape<{ execution: unknown; seq: unknown }>({ execution: words, seq: whole });
export const STARTED = shape<{ [Name in 'execution' | 'workflow' | 'version' | 'hash' | 'existing']: unknown }>({
  ...{ execution: words, workflow: words, version: words, hash: words },
  existing: yes,
});

const summary = {
  ...{ id: words, version: words, hash: words, name: words, publishedAt: whole, publishedBy: orNull },
} as const;
export const SUMMARY = shape<typeof summary>(summary);
export const SUMMARIES = rowsOf(SUMMARY);
const definition = {
  ...summary,
  document: { type: 'object', description: 'A workflow document; its schema is published with the package.' },
  schemas: { ...mapOf(anything), description: 'What ports declare, by the ids that events tell' },
} as const;
export const DEFINITION = shape<typeof definition>(definition);
export const JUDGED = shape<{ valid: unknown; faults: unknown }>({
  valid: yes,
  faults: list(shape<DocumentFault>({ code: words, pointer: words, message: words, cure: words })),
});
const nodeType = {
  ...{ name: words, version: whole, title: words, description: words, behaviour: words },
  ...{ inputs: anything, outputs: anything, config: anything, example: { type: 'object' } },
} as const;
export const NODE_TYPES = rowsOf(shape<typeof nodeType>(nodeType));

const figures = shape<RecordFigures>({
  ...{ in: whole, out: whole, filtered: whole, dropped: mapOf(whole), deadLetters: whole },
});
const node = shape<NodeView>({
  ...{ id: words, type: words, iteration: words, status, attempt: whole, since: whole },
  outputs: mapOf(anything),
  error: anything,
  wait: nullable(shape<{ on: unknown; token: unknown }>({ on: words, token: words })),
  segment: orNull,
  figures: nullable(figures),
});
const heldSession = shape<NonNullable<ExecutionView['session']>>({ name: words, id: words, isHeld: yes, since: whole });
const kept = shape<NonNullable<ExecutionView['kept']>>({ segments: list(words), executions: list(words) });
export const EXECUTION = shape<ExecutionView>({
  ...{ id: words, workflow: words, version: words, definition: words, revision: whole, seq: whole },
  ...{ status, phase: words, degraded: yes, ending: yes, continues: orNull, continuedBy: orNull },
  kept: nullable(kept),
  ...{ mode, input: anything, output: anything, error: anything, startedAt: whole, endedAt: wholeOrNull },
  ...{ user: orNull, labels: mapOf(words), counts: mapOf(whole) },
  session: nullable(heldSession),
  nodes: list(node),
  edges: list(shape<EdgeView>({ id: words, iteration: words, records: whole })),
});
export const EXECUTIONS = pageOf(
  shape<ExecutionRow>({
    ...{ id: words, workflow: words, version: words, status, degraded: yes, mode, startedAt: whole },
    ...{ endedAt: wholeOrNull, user: orNull, labels: mapOf(words), counts: mapOf(whole), error: anything },
  }),
);

const cause = {
  oneOf: [
    shape<{ kind: unknown; type: unknown; id: unknown; by: unknown }>({
      ...{ kind: { const: 'command' }, type: words, id: words, by: orNull },
    }),
    shape<{ kind: unknown; timer: unknown; due: unknown }>({ kind: { const: 'timer' }, timer: words, due: whole }),
    shape<{ kind: unknown }>({ kind: { const: 'continue' } }),
  ],
} as const;
export const HISTORY = rowsOf(
  shape<StepRecord>({
    ...{ execution: words, seq: whole, revision: whole, definition: words, at: whole },
    cause,
    events: list(STEP_EVENT),
  }),
);
const reason = shape<Explanation['waitsFor'][number]>({ kind: words, what: words, until: wholeOrNull });
export const EXPLANATION = shape<Explanation>({
  ...{ node: words, iteration: words, status, text: words, waitsFor: list(reason) },
});

export const OUTPUT_VALUE = shape<OutputView>({
  ...{ reference: words, execution: words, seq: whole, at: whole, node: orNull, iteration: words, port: orNull },
  ...{ bytes: whole, schema: orNull, value: anything },
});

export const SCHEDULES = rowsOf(
  shape<ScheduleView>({
    ...{ workflow: words, version: words, cron: words, timeZone: words },
    overlap: { enum: ['allow', 'skip', 'queue', 'replace'] },
    catchUp: { enum: ['none', 'last', 'all'] },
    ...{ next: orNull, last: orNull, running: orNull, queued: whole, leftOut: whole },
  }),
);
export const BACKFILLED = rowsOf(shape<Backfilled>({ execution: words, at: words, from: words, existing: yes }));

const holder = shape<NonNullable<SessionView['holder']>>({ execution: words, since: whole });
export const SESSION_VALUES = shape<SessionView>({
  ...{ name: words, id: words, seq: whole, values: mapOf(anything), expiresAt: wholeOrNull },
  ...{ holder: nullable(holder), waiting: whole },
});
export const CLEARED = shape<{ name: unknown; id: unknown }>({ name: words, id: words });

/** The data of each message of Server-Sent Events. */
export const EVENT_STREAM = {
  description: 'Each message: the cursor as its id, its type as its event, and the event as its data',
  content: {
    'text/event-stream': {
      schema: { type: 'string', contentMediaType: 'application/json', contentSchema: NAMED_EVENT },
    },
  },
} as const;
/** What a WebSocket's messages hold. */
export const SOCKET = {
  description: 'The connection is a WebSocket; each of its messages is this JSON',
  content: {
    'application/json': { schema: shape<{ cursor: unknown; event: unknown }>({ cursor: words, event: NAMED_EVENT }) },
  },
} as const;
