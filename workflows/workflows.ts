import type { Json, Millis } from '../core/ids.ts';
import type {
  EventFeed,
  ExecutionStatus,
  FailureInfo,
  GraphNames,
  Mode,
  NodeStatus,
  StepRecord,
} from '../events/events.ts';
import type { Health } from '../runtime/runtime.ts';
import type { CatchUp, Overlap } from '../scheduler/scheduler.ts';
import type { Catalog } from './catalog.ts';
import type { DocumentFault, WorkflowDocument } from './document.ts';
import type { Letters } from './letters/letters.ts';
import type { Explanation, PatchOp } from './lifecycle/lifecycle.ts';
import type { NodeFigures } from './segments/segments.ts';

/**
 * Workflows: documents become running executions.
 *
 * Two planes, one log. The *control plane* is a topology of this engine like any other (`control/`): commands come in by
 * `nf.commands`, keyed by the root execution, or without a record of their own where the sender's process owns the
 * execution; a keyed operator judges each by the pure code of `lifecycle/`, keeps the rows of executions in a store, and
 * puts out one step record for each command, in the transaction that takes the command. Tasks run beside its loop as
 * asynchronous calls; what they answer comes back as commands by `nf.internal`.
 * The *data plane* (`segments/`) compiles nodes with `dataset` and `stream` ports into plans of operators, the same that
 * the DSL makes; to the control plane a segment is one node.
 *
 * - `document.ts`, `builder.ts`: the document, and a typed way to write it. `validate.ts`: all faults of one at once.
 *   `compile.ts`: the document as a {@link Graph}. `catalog.ts`, `nodes/`: types of nodes.
 * - A definition is a document under its id and version. It never changes: publishing another document under a version
 *   that is there is refused. Executions stay on the definition that they began with, unless they are patched.
 * - An execution's id is given, or made; with an idempotency key it is derived from workflow and key, so that a second
 *   start meets the first one and is answered with it.
 * - Commands are answered when their step is committed: with the step, or with `workflow.rejected` and why.
 * - Several processes over one log share the partitions of executions; each partition is of one process at a time, which
 *   *owns* its executions. Every call is answered by every process, for every execution. A command to an execution of
 *   another process goes by the log to whoever owns it, and its answer is the committed step record, which all processes
 *   read. An execution that another process owns is looked at as the fold of its committed step records, which says the
 *   same as the store of its owner; so is one of a partition that is being restored. When partitions move, nothing that
 *   waits here is lost.
 *
 * {@link Workflows} is what gateways, command line and programs use. It holds no state of its own: it sends commands,
 * and reads stores, events and definitions.
 */
export interface Workflows extends Letters {
  readonly catalog: Catalog;
  /** Judges a document without publishing it. */
  validate(document: unknown): readonly DocumentFault[];
  /** Throws `workflow.invalid` with all faults, `workflow.version-taken` where another document has that version. */
  publish(document: unknown, by?: string): Promise<Definition>;
  definitions(): Promise<readonly Definition[]>;
  /** Without a version: the newest. */
  definition(id: string, version?: string): Promise<Definition | undefined>;

  start(workflow: string, input: Json, options?: StartOptions): Promise<Started>;
  /**
   * Starts an execution, and resolves with how it has ended. One that is there already, by its id or idempotency key, is
   * waited for. Fails as `start` does; with the reason of the signal where that comes first; with `stopped` when the
   * engine stops: the execution goes on then.
   */
  run(workflow: string, input: Json, options?: RunOptions): Promise<Outcome>;
  signal(execution: string, name: string, payload: Json, options?: CommandOptions): Promise<Answer>;
  /** What an approval is answered with; a second answer to one token is told the first one's. */
  approve(token: string, decision: 'approved' | 'rejected', value: Json, options?: CommandOptions): Promise<Answer>;
  cancel(
    execution: string,
    options?: CommandOptions & { readonly reason?: string; readonly node?: string },
  ): Promise<Answer>;
  /**
   * Of a streaming execution: what is there is the whole. Its segments close their windows and give their values, and it
   * goes on with them and completes. Twice is as once.
   */
  end(execution: string, options?: CommandOptions): Promise<Answer>;
  /**
   * Of a streaming execution: it ends (CANCELLED), and its segments keep what they have, for {@link upgrade} or
   * {@link forget}. Nodes that had not completed begin again in what goes on from there.
   */
  savepoint(execution: string, options?: CommandOptions): Promise<Answer>;
  /**
   * Lets a streaming execution go on in another version of its workflow, as an execution of its own (`x/~2` goes on from
   * `x`), from a savepoint that it makes or has ended at. What had completed does not run again; segments go on where
   * they were, as if they had never stopped. Where the version cannot take them up nothing is stopped, and
   * `workflow.not-upgradable` says why. Asked again it is answered with what has begun.
   */
  upgrade(execution: string, options: CommandOptions & { readonly version: string }): Promise<Started>;
  /** Takes away what segments of an execution have kept that has ended at a savepoint, where nothing went on from it. */
  forget(execution: string, options?: CommandOptions): Promise<Answer>;
  pause(execution: string, options?: CommandOptions): Promise<Answer>;
  resume(execution: string, options?: CommandOptions): Promise<Answer>;
  retryFrom(execution: string, node: string, options?: CommandOptions): Promise<Answer>;
  intervene(execution: string, node: string, what: Intervention, options?: CommandOptions): Promise<Answer>;
  patch(execution: string, baseRevision: number, ops: readonly PatchOp[], options?: CommandOptions): Promise<Answer>;
  /** A new execution that has the history of another up to a step, and goes on from there, with a version of its own if wanted. */
  fork(execution: string, seq: number, options?: StartOptions): Promise<Started>;

  /** Every schedule of the newest versions, with its next time, whoever keeps it. */
  schedules(): Promise<readonly ScheduleView[]>;
  /**
   * Starts an execution for each past time in `[from, until)` of the schedules of a workflow, in its newest version. A
   * time that was started before, by its schedule or by a backfill, is not started again. All may run at once: they do
   * not count for `overlap`. Throws `workflow.no-schedule`.
   */
  backfill(
    workflow: string,
    from: Millis,
    until: Millis,
    options?: { readonly user?: string },
  ): Promise<readonly Backfilled[]>;

  /**
   * As it stands by what is committed: from the store where this process owns it, else the fold of its step records.
   * Undefined where it is not known.
   */
  execution(id: string): Promise<ExecutionView | undefined>;
  /** As it stood behind a step: the fold of its step records up to there. */
  executionAt(id: string, seq: number): Promise<ExecutionView | undefined>;
  /**
   * Its committed step records. What is read for them, and for every fold, is what lies in its partition between its
   * first step and its last one, or the present end. Where it began is told by the store of its owner, by its id where
   * that was made here, or by {@link WorkflowParts.place}; where nothing tells, the partition is read from its start.
   */
  history(id: string): Promise<readonly StepRecord[]>;
  explain(execution: string, node: string, iteration?: string): Promise<Explanation>;
  /**
   * The value at a `reference` that an event has told: what a node put out at a port in one step, or what an execution
   * answered. It stands in the log as long as its step record does, whatever is tried again or comes round later.
   * Undefined where there is none; throws `query.invalid`.
   */
  output(reference: string): Promise<OutputView | undefined>;
  /** Resolves when it has ended, whoever owns it by then. Fails with `workflow.unknown-execution`. */
  ended(id: string, signal?: AbortSignal): Promise<ExecutionView>;

  /**
   * A session, as it is by what is committed; with `at`, as it was then, by the fold of its step records. Undefined where
   * nothing of it is kept, and nobody holds it. To look at one is no use of it. Who has seen the end of an execution sees
   * what that has written.
   */
  session(name: string, id: string, options?: { readonly at?: Millis }): Promise<SessionView | undefined>;
  /** Empties it: for good for whoever comes, and behind whoever holds it. Twice is as once. */
  clearSession(name: string, id: string, options?: CommandOptions): Promise<void>;

  readonly feed: EventFeed;
  /** The words of node numbers, for whoever reads step records of the feed. */
  names(definition: string): GraphNames;
  /** What output ports of a definition declare, by the ids that events tell: a JSON Schema, or the name of one. */
  schemas(definition: string): Promise<{ readonly [id: string]: Json }>;
  /** Of the run of the control plane in this process. */
  health(): Health;
  /** Of this process alone: what others have done, their figures tell. */
  readonly figures: () => WorkflowFigures;
  /** Finishes the step in hand, commits, and stops; executions go on when it is started again. */
  drain(): Promise<void>;
}

export interface Definition {
  readonly id: string;
  readonly version: string;
  readonly hash: string;
  readonly document: WorkflowDocument;
  readonly publishedAt: Millis;
  readonly publishedBy: string | null;
}

export interface StartOptions {
  readonly execution?: string;
  readonly version?: string;
  readonly idempotencyKey?: string;
  readonly mode?: Mode;
  readonly priority?: number;
  readonly deadline?: Millis;
  readonly user?: string;
  readonly labels?: { readonly [name: string]: string };
  readonly select?: { readonly nodes: readonly string[]; readonly closure?: 'ancestors' | 'descendants' | 'none' };
  readonly pins?: { readonly [node: string]: Json };
}

export interface RunOptions extends StartOptions {
  /** Ends the wait, and not the execution. */
  readonly signal?: AbortSignal;
}

/** How an execution has ended. */
export interface Outcome {
  readonly execution: string;
  readonly status: 'COMPLETED' | 'FAILED' | 'CANCELLED';
  /** It has ended well without something that was optional. */
  readonly degraded: boolean;
  readonly output: Json;
  /** Why it has failed. */
  readonly error: FailureInfo | null;
}

export interface CommandOptions {
  /** Unique; default: made. The same id twice is the same command. */
  readonly id?: string;
  readonly by?: string;
}

export interface Started {
  readonly execution: string;
  readonly definition: Definition;
  /** It was there already, by its idempotency key. */
  readonly existing: boolean;
}

export interface Answer {
  readonly execution: string;
  readonly seq: number;
}

export interface ScheduleView {
  readonly workflow: string;
  readonly version: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  /** Null: never again. */
  readonly next: Millis | null;
  /** The newest time for which an execution was started; null: none yet. */
  readonly last: Millis | null;
  /** The execution that the workflow's schedules started last, until it has ended. */
  readonly running: string | null;
  /** Times that wait for its end. */
  readonly queued: number;
  /** How many times were due since the version was published and started nothing, as its policies say. */
  readonly leftOut: number;
}

export interface Backfilled {
  readonly execution: string;
  /** The time that was due, and where the interval begins that it stands for. */
  readonly at: Millis;
  readonly from: Millis;
  /** It was started before. */
  readonly existing: boolean;
}

export type Intervention =
  /** With `input`, null too, as what arrives; else with what arrived before. */
  | { readonly action: 'retry'; readonly input?: Json; readonly iteration?: string }
  | { readonly action: 'output'; readonly value: Json; readonly iteration?: string }
  | { readonly action: 'skip' | 'fail'; readonly iteration?: string };

export interface ExecutionView {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly definition: string;
  readonly revision: number;
  readonly seq: number;
  readonly status: ExecutionStatus;
  readonly phase: string;
  readonly degraded: boolean;
  /** It was told to end. */
  readonly ending: boolean;
  /** The execution that it goes on from, in another version. */
  readonly continues: string | null;
  /** Of one that ends at a savepoint: what goes on from there, or may do so. */
  readonly continuedBy: string | null;
  /**
   * What it holds at its savepoint: segments by the nodes that stand for them, and executions that its nodes have started.
   */
  readonly kept: { readonly segments: readonly string[]; readonly executions: readonly string[] } | null;
  readonly mode: Mode;
  readonly input: Json;
  readonly output: Json;
  readonly error: Json;
  readonly startedAt: Millis;
  readonly endedAt: Millis | null;
  readonly user: string | null;
  readonly labels: { readonly [name: string]: string };
  readonly counts: { readonly [status in NodeStatus]: number };
  /** Of a workflow that declares one: whether it is held, or waited for, and since when. */
  readonly session: {
    readonly name: string;
    readonly id: string;
    readonly isHeld: boolean;
    readonly since: Millis;
  } | null;
  readonly nodes: readonly NodeView[];
  /** Of inner edges of segments that have begun: how many records have gone along. */
  readonly edges: readonly EdgeView[];
}

export interface EdgeView {
  /** As in the document, or made of its ends: `a.out>b.in`. */
  readonly id: string;
  readonly iteration: string;
  readonly records: number;
}

export interface OutputView {
  readonly reference: string;
  readonly execution: string;
  readonly seq: number;
  /** When it was written. */
  readonly at: Millis;
  /** Null of an answer. */
  readonly node: string | null;
  readonly iteration: string;
  readonly port: string | null;
  /** Of its JSON. */
  readonly bytes: number;
  /** Of what its port declares: {@link Workflows.schemas}. */
  readonly schema: string | null;
  readonly value: Json;
}

export interface SessionView {
  readonly name: string;
  readonly id: string;
  /** Of its last step, since it has been there. */
  readonly seq: number;
  readonly values: { readonly [key: string]: Json };
  /** Null while it is held. */
  readonly expiresAt: Millis | null;
  readonly holder: { readonly execution: string; readonly since: Millis } | null;
  /** How many executions wait for it. */
  readonly waiting: number;
}

export interface NodeView {
  readonly id: string;
  readonly type: string;
  readonly iteration: string;
  readonly status: NodeStatus;
  readonly attempt: number;
  readonly since: Millis;
  readonly outputs: { readonly [port: string]: Json };
  readonly error: Json;
  readonly wait: { readonly on: string; readonly token: string } | null;
  /** Of nodes of the data plane: the node that stands for the segment that they run in. */
  readonly segment: string | null;
  /** Of nodes of the data plane, when the segment has begun: the last that was told, by whoever ran it last. */
  readonly figures: RecordFigures | null;
}

export type RecordFigures = Omit<NodeFigures, 'status'>;

/** Of this process since it began. A step that ran again, after a cold read or a failed commit, counts again. */
export interface WorkflowFigures {
  readonly commands: number;
  readonly steps: number;
  /** Nodes that have completed. */
  readonly nodes: number;
  /** Executions that have begun, and that have ended. */
  readonly started: number;
  readonly ended: number;
}

export { canonicalText, documentHash } from './canonical.ts';
export { compileDocument } from './compile.ts';
export type { QuarantineSettings } from './control/call-gate.ts';
export { createCatalog } from './create-catalog.ts';
export { createLanguage, type LanguageOptions } from './create-language.ts';
export { describeGraph } from './describe.ts';
export { type DocumentDiff, diffDocuments, documentDiffLines } from './diff.ts';
export type { DocumentFault } from './document.ts';
export { NodeFailure } from './errors/node-failure.ts';
export { DOCUMENT_SCHEMA } from './judge-schema.ts';
export type { Language } from './language.ts';
export type {
  LetterChange,
  LetterKind,
  LetterQuery,
  Letters,
  LetterView,
  RedriveLetter,
  RedriveMany,
  RedrivenLetter,
  RedrivenPage,
  ShownBytes,
  WholeLetter,
} from './letters/letters.ts';
export { LogLetters } from './letters/log-letters.ts';
export type { Explanation } from './lifecycle/lifecycle.ts';
export { faultReference, nodeReference, nodeTypeLines } from './node-reference.ts';
export { type BuiltInSettings, builtInTypes } from './nodes/built-in.ts';
export {
  DEFAULT_WORKFLOW_SETTINGS,
  openWorkflows,
  type WorkflowParts,
  type WorkflowSettings,
} from './open-workflows.ts';
export { validateDocument } from './validate.ts';
