import type { Json } from '../core/ids.ts';
import type { EndCounts, NodeStatus, TimerKind, TransitionCause } from './events.ts';

/**
 * The format of step records, version 2: Avro, with what an execution has much of (transitions, outputs, deliveries,
 * waits, timers) in fields of their own and the rest as JSON inside. Lists of words are only ever added to at their end,
 * since a word is written as its place. In version 1 an end has no counts.
 */
export const STEP_VERSION = 2;

/** Stored rows of executions hold them by their places too. */
export const STATUSES: readonly NodeStatus[] = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'];

export const LAST: readonly (keyof EndCounts)[] = ['COMPLETED', 'FAILED', 'CANCELLED'];

export const CAUSES: readonly TransitionCause[] = [
  'inputs-ready',
  'slot-granted',
  'inline',
  'succeeded',
  'failed',
  'retry',
  'redriven',
  'timeout-queue',
  'timeout-run',
  'timeout-total',
  'branch-not-taken',
  'not-selected',
  'disabled',
  'pinned',
  'upstream-failed',
  'cancelled',
  'superseded',
  'deadline',
  'resolved',
  'skipped-by-hand',
  'compensation',
  'optional-failed',
  'execution-ended',
  'removed-by-patch',
  'execution-started',
  'segment-opened',
  'savepoint',
];

export const TIMERS: readonly TimerKind[] = [
  'retry',
  'queue',
  'run',
  'total',
  'delay',
  'deadline',
  'grace',
  'escalate',
  'schedule',
  'expiry',
  'lease',
];

/** The branches of an event, by their place. */
export const BRANCH = {
  node: 0,
  output: 1,
  delivered: 2,
  started: 3,
  ended: 4,
  waiting: 5,
  waitEnded: 6,
  timerSet: 7,
  timerCleared: 8,
  rejected: 9,
  other: 10,
} as const;

const field = (name: string, type: Json): Json => ({ name, type });
const record = (name: string, ...fields: readonly Json[]): Json => ({ type: 'record', name, fields });
const words = (name: string, symbols: readonly string[]): Json => ({
  type: 'enum',
  name,
  symbols: symbols.map((word) => word.replaceAll('-', '_')),
});
const at = [field('node', 'int'), field('iteration', 'string')];
const timer = [...at, field('due', 'long'), field('attempt', 'int')];
const ints: Json = { type: 'array', items: 'int' };

/** For readers elsewhere; a test holds the codec against it. Fields named `json` hold JSON as text. */
export const STEP_SCHEMA: Json = record(
  'StepRecord',
  field('execution', 'string'),
  field('seq', 'long'),
  field('revision', 'int'),
  // of the definition: 32 bytes where it is a SHA-256, else as it is
  field('definition', [{ type: 'fixed', name: 'Sha256', size: 32 }, 'string']),
  field('at', 'long'),
  field('cause', [
    record('CommandCause', field('type', 'string'), field('id', 'string'), field('by', ['null', 'string'])),
    record('TimerCause', field('timer', words('Timer', TIMERS)), field('due', 'long')),
    record('Continue'),
  ]),
  field('events', {
    type: 'array',
    items: [
      record(
        'Node',
        ...at,
        field('attempt', 'int'),
        field('from', words('From', ['NONE', ...STATUSES])),
        field('to', words('Status', STATUSES)),
        field('cause', words('Cause', CAUSES)),
      ),
      record('Output', ...at, field('port', 'string'), field('json', 'string'), field('bytes', 'int')),
      record('Delivered', ...at, field('taken', ints), field('skipped', ints)),
      record(
        'Started',
        field('workflow', 'string'),
        field('version', 'string'),
        field('json', 'string'),
        field('more', 'string'),
      ),
      record(
        'Ended',
        field('status', words('Last', LAST)),
        field('degraded', 'boolean'),
        field('json', 'string'),
        field('error', 'string'),
        // of nodes, by the states of `Last`
        { name: 'counts', type: ints, default: [] },
      ),
      record('Waiting', ...at, field('on', 'string'), field('token', 'string'), field('json', 'string')),
      record('WaitEnded', ...at, field('token', 'string'), field('by', ['null', 'string'])),
      record('TimerSet', field('timer', 'Timer'), ...timer),
      record('TimerCleared', field('timer', 'Timer'), ...timer),
      record('Rejected', field('code', 'string'), field('why', 'string')),
      record('Other', field('json', 'string')),
    ],
  }),
);
