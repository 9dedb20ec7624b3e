import type { Json, Millis, Position } from '../core/ids.ts';
import type { SessionEvent, SessionUseEvent } from './session-events.ts';

/**
 * What happened to executions of workflows, as data.
 *
 * The source of truth is one {@link StepRecord} for each command that was taken, in the topic `nf.events`, keyed by the
 * root execution, written in the transaction that took the command. The state of an execution is the fold of its step
 * records and of nothing else. The five named events of the specification ({@link NamedEvent}) are views of step
 * records, made by `views.ts` wherever somebody asks for them; nobody stores them.
 *
 * - `step-codec.ts`: step records as Avro, behind one byte that gives the version of the format. Golden records of each
 *   version stay in the tree. Nodes are written by their number in the graph of the definition's revision, so a record of
 *   ten nodes takes some hundred bytes; {@link namedEvents} turns numbers into ids.
 * - `feed.ts`: an {@link EventFeed} reads the topic from a position, committed records only, and hands step records on in
 *   order, to any number of subscribers that filter *before* anything is serialised.
 */
export interface StepRecord {
  readonly execution: string;
  /**
   * Counted from 1 in each execution, without a gap. A record with 0 is of no history: it tells whoever sent a command
   * that it changed nothing, since there is no such execution, or none any more, or the command was taken before.
   */
  readonly seq: number;
  /** The revision of the graph that node numbers refer to; a patch raises it. */
  readonly revision: number;
  /** The hash of the definition. */
  readonly definition: string;
  /** The wall time that the step used, everywhere. */
  readonly at: Millis;
  readonly cause: Cause;
  readonly events: readonly StepEvent[];
}

/** What a step was taken for. No cause is applied twice. */
export type Cause =
  /** `id` as its sender gave it; `type` of the command; `by` whom, where somebody is known. */
  | { readonly kind: 'command'; readonly type: string; readonly id: string; readonly by: string | null }
  | { readonly kind: 'timer'; readonly timer: TimerKind; readonly due: Millis }
  /** More work of the step before than one step may hold. */
  | { readonly kind: 'continue' };

export type NodeStatus = 'PENDING' | 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
export type ExecutionStatus = NodeStatus;

/** Why a transition was made, in stable words. */
export type TransitionCause =
  | 'inputs-ready'
  | 'slot-granted'
  | 'inline'
  | 'succeeded'
  | 'failed'
  | 'retry'
  | 'redriven'
  | 'timeout-queue'
  | 'timeout-run'
  | 'timeout-total'
  | 'branch-not-taken'
  | 'not-selected'
  | 'disabled'
  | 'pinned'
  | 'upstream-failed'
  | 'cancelled'
  | 'superseded'
  | 'deadline'
  | 'resolved'
  | 'skipped-by-hand'
  | 'compensation'
  | 'optional-failed'
  | 'execution-ended'
  | 'removed-by-patch'
  | 'execution-started'
  | 'segment-opened'
  /** It was open at a savepoint; what goes on from there takes it up. */
  | 'savepoint';

export type TimerKind =
  | 'retry'
  | 'queue'
  | 'run'
  | 'total'
  | 'delay'
  | 'deadline'
  | 'grace'
  | 'escalate'
  | 'schedule'
  | 'expiry'
  | 'lease';

/** `node` is a number in the graph; `iteration` is '' at the top, '3' or '3.0' inside of maps and loops. */
export interface At {
  readonly node: number;
  readonly iteration: string;
}

export type StepEvent =
  | {
      readonly type: 'started';
      readonly workflow: string;
      readonly version: string;
      readonly input: Json;
      readonly mode: Mode;
      readonly user: string | null;
      readonly priority: number;
      readonly deadline: Millis | null;
      readonly labels: { readonly [name: string]: string };
      readonly idempotencyKey: string | null;
      readonly parent: { readonly execution: string; readonly at: At } | null;
      /** Of a partial execution: the nodes that run. */
      readonly selected: readonly number[] | null;
      readonly pins: { readonly [node: string]: Json } | null;
      /** Of a fork: where its history comes from. */
      readonly forkOf: { readonly execution: string; readonly seq: number } | null;
      /** What nodes have put out in the execution that it goes on from, by node id and port: they do not run again. */
      readonly outputs?: NodeOutputs;
      /** Of what goes on from a savepoint. */
      readonly continues?: Continues;
    }
  /** One transition of a node. Legal ones only. */
  | (At & {
      readonly type: 'node';
      readonly attempt: number;
      readonly from: NodeStatus | null;
      readonly to: NodeStatus;
      readonly cause: TransitionCause;
    })
  /** A value is durable at an output port, in the same step as, and before, what it makes ready. */
  | (At & { readonly type: 'output'; readonly port: string; readonly value: Json; readonly bytes: number })
  /** What a node that has ended tells its edges, by their numbers: the outcome, or that they are skipped. */
  | (At & { readonly type: 'delivered'; readonly taken: readonly number[]; readonly skipped: readonly number[] })
  | (At & {
      readonly type: 'attempt-failed';
      readonly attempt: number;
      readonly error: FailureInfo;
      readonly decision: 'retry' | 'fail' | 'route' | 'continue' | 'hold' | 'dead-letter';
      /** The drawn time of the next attempt. */
      readonly retryAt: Millis | null;
    })
  /** It waits for something outside; what ends the wait names the token. */
  | (At & {
      readonly type: 'waiting';
      readonly on: 'signal' | 'approval' | 'child' | 'segment' | 'task' | 'delay' | 'intervention' | 'iterations';
      readonly token: string;
      readonly detail: Json;
    })
  | (At & { readonly type: 'wait-ended'; readonly token: string; readonly by: string | null })
  | (At & { readonly type: 'timer-set'; readonly timer: TimerKind; readonly due: Millis; readonly attempt: number })
  | (At & { readonly type: 'timer-cleared'; readonly timer: TimerKind; readonly due: Millis; readonly attempt: number })
  /** A container begins; `items` of a map. */
  | (At & {
      readonly type: 'iterations';
      readonly count: number;
      readonly items: readonly Json[] | null;
      readonly atOnce: number;
    })
  /**
   * An iteration of a container has begun, fails (what is open in it is closed), or has ended, with what came of it; or
   * the container is to end when nothing of it is open, `value` being the cause.
   */
  | (At & {
      readonly type: 'iteration';
      readonly index: number;
      readonly to: 'begun' | 'failing' | 'failed' | 'ended' | 'closing';
      readonly value: Json;
    })
  | (At & { readonly type: 'progress'; readonly value: Json })
  /** A long task's own checkpoint. */
  | (At & { readonly type: 'checkpoint'; readonly number: number; readonly value: Json })
  | { readonly type: 'signal-stored'; readonly name: string; readonly id: string; readonly payload: Json }
  | { readonly type: 'signal-taken'; readonly name: string; readonly id: string }
  /** The execution fails: what is open is closed, then these nodes are compensated, in this order. */
  | { readonly type: 'compensating'; readonly error: FailureInfo; readonly order: readonly string[] }
  /** `added` and `removed` are nodes at the top, `removedEdges` edges, by number. */
  | {
      readonly type: 'patched';
      readonly revision: number;
      readonly ops: Json;
      readonly by: string | null;
      readonly added: readonly number[];
      readonly removed: readonly number[];
      readonly removedEdges: readonly number[];
    }
  /** What the next step goes on with; nodes that follow each other as `3-900`. */
  | { readonly type: 'deferred'; readonly nodes: readonly string[] }
  | { readonly type: 'paused' | 'resumed'; readonly by: string | null }
  | { readonly type: 'cancelling'; readonly reason: string; readonly by: string | null }
  /** Of a streaming execution: what is there is the whole, and it goes on from there to its end. */
  | { readonly type: 'ending'; readonly by: string | null }
  /** It ends within its grace, and keeps what its segments have: for `next`, or for whoever goes on from there later. */
  | { readonly type: 'savepoint'; readonly next: Next | null; readonly by: string | null }
  /**
   * Somebody decided what the engine could not: retry, output, skip, fail. The value of a retry arrives at the node in
   * place of what did; null arrives only where it was `given`, since records without that hold null for no value too.
   */
  | (At & {
      readonly type: 'intervened';
      readonly action: string;
      readonly value: Json;
      readonly given?: true;
      readonly by: string | null;
    })
  | (At & { readonly type: 'dead-letter'; readonly id: string; readonly reason: string })
  /** A dead letter is done again. */
  | { readonly type: 'redriven'; readonly id: string }
  | (At & { readonly type: 'annotated'; readonly text: string; readonly by: string | null })
  | {
      readonly type: 'ended';
      readonly status: 'COMPLETED' | 'FAILED' | 'CANCELLED';
      readonly degraded: boolean;
      readonly output: Json;
      readonly error: FailureInfo | null;
      /** Records of version 1 do not tell them. */
      readonly counts?: EndCounts;
    }
  | SessionUseEvent
  | SessionEvent
  /** The command changed nothing, and why. */
  | { readonly type: 'rejected'; readonly code: string; readonly why: string };

/** How many nodes have ended in each state, those of each iteration for themselves: what the transitions sum to. */
export type EndCounts = { readonly [status in 'COMPLETED' | 'FAILED' | 'CANCELLED']: number };

export type NodeOutputs = { readonly [node: string]: { readonly [port: string]: Json } };

/** The execution that one goes on from, the first of them all, by whose id segments are called, and its own number. */
export interface Continues {
  readonly execution: string;
  readonly first: string;
  readonly number: number;
  /** What nodes go on with, by their ids: executions that they had started there, and which were kept at the savepoint. */
  readonly children?: { readonly [node: string]: Continues };
}

/** What goes on from a savepoint as soon as the execution has ended: a version of its workflow, and nodes that it has. */
export interface Next {
  readonly version: string;
  readonly nodes: readonly string[];
}

export type Mode = 'realtime' | 'batch' | 'streaming';
export type FailureClass = 'TRANSIENT' | 'PERMANENT' | 'SYSTEM' | 'USER';

export interface FailureInfo {
  readonly class: FailureClass;
  /** Stable, such as `http.429`, `ECONNRESET`, `expression.failed`. */
  readonly code: string;
  readonly message: string;
  /** A JSON pointer into the document: the node, or the field of its configuration. */
  readonly instance: string;
  readonly detail?: Json;
}

/** The names of the specification. */
export const EVENT_TYPES = [
  'NODE_STATE_CHANGED',
  'DATA_AVAILABLE',
  'EXECUTION_STARTED',
  'EXECUTION_COMPLETED',
  'ERROR_OCCURRED',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One event as the outside sees it: node ids, not numbers. `views.ts` gives `data` its fields, by type. */
export interface NamedEvent {
  readonly type: EventType;
  readonly workflow: string;
  readonly execution: string;
  readonly seq: number;
  /** Its number within its step, from 0: with `seq` it orders the events of an execution. */
  readonly index: number;
  readonly at: Millis;
  readonly node: string | null;
  readonly nodeType: string | null;
  readonly iteration: string;
  readonly data: { readonly [name: string]: Json };
}

/** Turns numbers of nodes into words, for a definition. */
export interface GraphNames {
  readonly workflow: string;
  id(node: number): string;
  type(node: number): string;
  /** The id of the schema that an output port declares; null where it declares none. */
  schema(node: number, port: string): string | null;
}

/** A step record and where it stands in `nf.events`. */
export interface PlacedStep {
  readonly record: StepRecord;
  readonly partition: number;
  readonly position: Position;
}

/** A place in the feed: where to go on in each partition of `nf.events`. Printable: {@link cursorText}. */
export type FeedCursor = readonly Position[];

export interface FeedFilter {
  readonly workflow?: string;
  readonly execution?: string;
  readonly node?: string;
  readonly types?: readonly EventType[];
}

export { cursorText, readCursor } from './cursor.ts';
export type { EventFeed, FeedParts, Subscription, TakeEvent, TakeStep, Watcher } from './feed.ts';
export { openFeed } from './open-feed.ts';
export { type OutputPlace, readReference, referenceText } from './reference.ts';
export type { SessionEvent, SessionUseEvent } from './session-events.ts';
export {
  decodeStep,
  encodeStep,
  isStepOf,
  STEP_SCHEMA,
  type StepHead,
  stepHead,
  stepName,
} from './step-codec.ts';
export { CAUSES, LAST, STATUSES, TIMERS } from './step-schema.ts';
export { COMMANDS_TOPIC, DEAD_LETTERS_TOPIC, DEFINITIONS_TOPIC, EVENTS_TOPIC, INTERNAL_TOPIC } from './topics.ts';
export { MAX_SAMPLE_BYTES, mayTake, namedEvents, takes } from './views.ts';
