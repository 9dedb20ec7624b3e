import type { Json, Millis } from '../../core/ids.ts';
import type {
  Cause,
  Continues,
  EndCounts,
  ExecutionStatus,
  FailureInfo,
  Mode,
  Next,
  NodeStatus,
  StepEvent,
  StepRecord,
  TimerKind,
  TransitionCause,
} from '../../events/events.ts';
import type { DocumentFault } from '../document.ts';
import type { Graph, GraphNode } from '../graph.ts';
import type { SessionName, SessionSay } from '../sessions/sessions.ts';
import type { Command, PatchOp, TellStarted } from './command.ts';
import type { Explanation } from './explain.ts';
import type { TakeUp } from './family.ts';
import type { Given } from './given.ts';

/**
 * The life of an execution, as pure code: no clock, no chance, no input or output but what it is handed.
 *
 *     decide(rows, graph, execution, command, envelope) -> events       evolve(rows, graph, record, event)
 *
 * `decide` judges a command by the rows of an execution, and tells in events what comes of it; each event is applied by
 * `evolve` as soon as it is made, so that what follows is judged by what it changed. Nothing but `evolve` changes rows:
 * the rows of an execution are the fold of its events, byte for byte, for every prefix, and replay runs no code of users.
 *
 * What holds (each a property in `*.test.ts`, on random graphs, with a crash at every boundary):
 *
 * 1. Transitions are legal ({@link isLegal}): PENDING > QUEUED > RUNNING > COMPLETED | FAILED | CANCELLED; what needs no
 *    slot goes from PENDING to RUNNING; any state before the last > CANCELLED; RUNNING > PENDING for a retry; PENDING >
 *    COMPLETED for what is pinned or supplied by hand, and for an inline node that succeeds, which passes QUEUED and
 *    RUNNING within the moment. One terminal state for a node and iteration, and for the execution; only an intervention,
 *    a redrive or `retry-from` opens a node again, before the execution has ended.
 * 2. A node runs exactly when its join holds over the outcomes that its incoming edges have told. Outcomes are kept as
 *    sets of edges, never counted, and nothing but the edges of the node at hand is looked at: the graph is never scanned.
 * 3. Every node that ends tells every outgoing edge its outcome or a skip; so every join resolves. Who waits has a name:
 *    a timer, a token, a slot, a child, a segment ({@link Explanation}).
 * 4. Outputs stand before what they make ready. A node's output is at most {@link MAX_VALUE_BYTES}; larger is a failure
 *    `workflow.value-too-large` that names the node. So it is with the answer of an execution, and with the input of a
 *    child.
 * 5. A command has an effect or a rejection that says why. A report with another attempt than the one that runs is
 *    rejected as `workflow.stale`, and changes nothing.
 * 6. Attempts are at most what the policy says; failures of class SYSTEM have a budget of their own. A task whose process
 *    ended while it ran has failed so, by a report with the code `workflow.process-lost`. These count in a row, and for
 *    nothing else: at {@link HELD_AFTER} the node is *quarantined*, which is to say held, whatever its policy says of
 *    errors; where that says `quarantine: false` it fails at {@link MAX_SYSTEM_FAILURES}. A checkpoint, and any other end
 *    of an attempt, ends the row.
 * 7. After a cancel every node is terminal within its grace, whatever tasks do. Tasks are told to stop and may report
 *    within the grace; children are cancelled and answer; `finally` children of what is cancelled run.
 * 8. A step is bounded: {@link MAX_STEP_NODES} nodes, and a megabyte of what they put out. What is left goes on in a
 *    step of its own (`more` of {@link Decided}).
 *
 * Rows:
 * - Nodes at the top are PENDING from the start, and those within a container from when their iteration begins, without
 *   a row: a node that has none is as {@link PENDING_ROW}. What catches, cleans up or compensates is PENDING from when it
 *   is needed.
 * - Iterations are numbered from 0: items of a map, rounds of a loop; of a `try` the body is 0, `catch` 1, `finally` 2.
 *   Children of iteration 3 of a container in iteration '2' have the iteration '2.3'.
 * - Rows of an item that has ended are dropped (but of nodes that may have to be compensated), those of a round of a loop
 *   when the next begins: what is in flight has rows, and nothing else.
 * - Outputs whose port begins with `#` are the engine's own: `#in` an input supplied by hand, `#error`, `#items` and
 *   `#<n>` the result of iteration n.
 *
 * Outcomes and failures:
 * - A failure is *handled* where an outgoing edge of kind `error` leaves the node, where a target joins by `all-done` or
 *   `when`, where the node lies in a `try`, or where its policy says `continue` or `route`. What is not handled, on a
 *   required node, ends the execution: everything not terminal becomes CANCELLED (`upstream-failed`), `finally` children of
 *   containers that were open run, then compensations in reverse order of completion, each with what the node put out as
 *   its input, then the execution is FAILED. A cancel does not compensate.
 * - Of a node that is not required, the edges are skipped and the execution ends COMPLETED and `degraded`. So too where a
 *   failure became a dead letter.
 * - `continue`: the edges are taken as if the node had put out null. `hold`: the node is PENDING and waits for an
 *   intervention; nothing of it runs.
 * - Within a container a failure that is not handled fails the iteration: of a `map` and a `loop` the container with it
 *   (of a map with `onItemFailure: 'null'` or `'omit'` only the item), of a `try` the body, which is what `catch` is for.
 * - An output port that a node did not put out skips its edges; so a node chooses among its ports.
 * - `when` joins are judged when every edge has told. `a.succeeded`: an edge from a was taken; `.failed`; `.cancelled`: by
 *   somebody, or for a failure; `.skipped`: neither of these.
 * - A pinned node is COMPLETED with its pin when it would have run or been skipped. Edges from nodes that were not
 *   selected to nodes that were count as taken, and carry nothing.
 * - A streaming execution that is to *end* lets its segments take what is there as the whole, those that begin later too;
 *   executions that it has started end with it. It goes on with what they give, and completes.
 * - At a *savepoint* a streaming execution ends as by a cancel, with the cause `savepoint` for what was open; its segments
 *   keep what they have. What goes on from there (at once, as an upgrade asks, or later) is an execution with a number:
 *   `x/~2` goes on from `x`. It has the outputs of what had completed, takes up the segments under the names that they
 *   had, and begins anew what else was open. A savepoint is refused while a segment within a container is open: nothing
 *   could take it up. What nodes have started stops at savepoints of its own in the same moment, all or none, and goes on
 *   as it was started: `x/pay` as `x/pay/~2` ({@link TakeUp}). Within a container it is cancelled, or a refusal.
 * - While paused nothing begins: reports are taken, timers and grants wait. A resume ends the pause, and so does a cancel,
 *   and a failure that nobody handles; whichever it is asks again for the timers and slots that waited.
 * - `all` takes skips as told: the node runs if one edge at least was taken, and is CANCELLED (`branch-not-taken`) if none
 *   was. A skip for a failure is a skip.
 * - A port that one edge leads to holds what that carried; one that several lead to, an object by source node id of those
 *   that were taken; with `any`, what came first. What else expressions may read is told at `Template` in `graph.ts`.
 *
 * Segments (the data plane, `segments/segments.ts`): one node stands for each, a task that reports; its inner nodes have a
 * life of their own, and neither slot nor timers nor attempts that count.
 * - When the segment runs they go PENDING > RUNNING in the same step (`segment-opened`), and wait on it by its id.
 * - Progress of a segment is figures. What they say has passed its end on all partitions is COMPLETED then, and tells its
 *   edges; what gives a value has it when the segment reports. Figures that come again, or were overtaken (`at`), change
 *   nothing; the last ones are kept, for views.
 * - When the segment ends, so does what has not passed: it is COMPLETED with what its edge carries, or CANCELLED, because
 *   the segment failed (`upstream-failed`) or for the reason for which that was cancelled. After a cancel inner nodes that
 *   run end as their segment does, within the grace.
 * - When it is tried again, or held, they are PENDING until it runs once more; what has passed stays COMPLETED, for the
 *   segment goes on where it was. When it is begun again by hand, so are they all, and it forgets what was before, which
 *   the checkpoint 0 says. An input that is given then is that of its first node.
 * - Where `continue` goes on behind a segment that failed, its inner nodes tell their edges as if they had put out null.
 * - An inner node may start executions, one for each record, that end and pause with it; see `started.ts`.
 * - Commands name the segment: those that name an inner node are rejected as `workflow.in-segment`. What selects one
 *   selects all of the segment. A pinned one is COMPLETED with its pin when the segment begins to run.
 */
export interface Rows extends Given {
  /** Undefined: there is no such execution here. */
  header(): Header | undefined;
  putHeader(header: Header): void;
  node(key: NodeKey): NodeRow | undefined;
  putNode(key: NodeKey, row: NodeRow): void;
  /** Of a node and all that it put out. */
  dropNode(key: NodeKey): void;
  /** All that have rows. For views, and for what concerns all that runs, as a pause does: no other step looks at them. */
  allNodes(): Iterable<readonly [NodeKey, NodeRow]>;
  output(key: NodeKey, port: string): Json | undefined;
  putOutput(key: NodeKey, port: string, value: Json): void;
  signal(name: string): StoredSignal | undefined;
  putSignal(signal: StoredSignal): void;
  takeSignal(name: string, id: string): void;
}

/** `<node>` or `<node>@<iteration>`. */
export type NodeKey = string;

export interface Header {
  readonly execution: string;
  readonly workflow: string;
  readonly version: string;
  readonly definition: string;
  readonly revision: number;
  readonly seq: number;
  readonly status: ExecutionStatus;
  readonly phase: 'running' | 'paused' | 'cancelling' | 'compensating' | 'ended';
  readonly mode: Mode;
  readonly input: Json;
  readonly user: string | null;
  readonly priority: number;
  readonly startedAt: Millis;
  readonly deadline: Millis | null;
  readonly labels: { readonly [name: string]: string };
  readonly parent: { readonly execution: string; readonly node: number; readonly iteration: string } | null;
  /** It runs the nodes that were selected, and no others: {@link Rows.isSelected}. */
  readonly isPartial: boolean;
  /** There are pins: {@link Rows.pin}. */
  readonly hasPins: boolean;
  /** How many nodes that have rows, or need none yet, are in each state; at every step equal to a recount. */
  readonly counts: { readonly [status in NodeStatus]: number };
  /** How those had ended that have rows no more. Null: it began before they were counted. */
  readonly past: EndCounts | null;
  readonly degraded: boolean;
  /** Segments end as soon as they have taken what is there. */
  readonly ending: boolean;
  /** It ends at a savepoint. */
  readonly savepoint: { readonly next: Next | null } | null;
  readonly continues: Continues | null;
  readonly error: FailureInfo | null;
  /** Completed nodes that have a compensation, in order of completion. */
  readonly compensable: readonly NodeKey[];
  /** Ids of the last commands and signals that had an effect, for those that come twice; what is fenced is not here. */
  readonly lastCommands: readonly string[];
  /** Nodes that wait for a signal, the longest first. */
  readonly listening: readonly NodeKey[];
  /** What is ready, or open, and was not gone on with in the last step; nodes that follow each other as `3-900`. */
  readonly deferred: readonly string[];
  /** Of the execution as a whole. */
  readonly timers: readonly RowTimer[];
  /** What it waits for before anything begins, or holds; its values stand at `SESSION_ROW`. */
  readonly session: HeaderSession | null;
}

export interface HeaderSession extends SessionName {
  readonly isHeld: boolean;
  /** '' until it is held; another execution where that one's hold is shared. */
  readonly holder: string;
  readonly keys: readonly string[];
  /** What was written since it is held. */
  readonly written: readonly string[];
  readonly since: Millis;
}

export interface RowTimer {
  readonly timer: TimerKind;
  readonly due: Millis;
  readonly attempt: number;
}

export interface NodeRow {
  readonly status: NodeStatus;
  /** Why it is so. */
  readonly cause: TransitionCause | null;
  /** Grows with every attempt, and is never used again: the fence of reports and timers. */
  readonly attempt: number;
  /** Failures that count against the policy's attempts, and system failures, which do not; neither is one of `lost`. */
  readonly failures: number;
  readonly system: number;
  /** Attempts in a row whose process ended while they ran. */
  readonly lost: number;
  /** Numbers of incoming edges that have told an outcome, and of those that were taken. */
  readonly told: readonly number[];
  readonly taken: readonly number[];
  readonly since: Millis;
  readonly wait: { readonly on: string; readonly token: string } | null;
  readonly error: FailureInfo | null;
  readonly iterations: Iterations | null;
  readonly checkpoint: { readonly number: number; readonly value: Json } | null;
  readonly timers: readonly RowTimer[];
}

/** Of a container: how many iterations there are, have ended, have failed; which one is next; which are open. */
export interface Iterations {
  readonly count: number;
  readonly ended: number;
  readonly failed: number;
  readonly next: number;
  readonly open: readonly OpenIteration[];
  /** How many may be open at once. */
  readonly atOnce: number;
  /** It is to end as soon as nothing is open, for this cause. */
  readonly closing: TransitionCause | null;
}

export interface OpenIteration {
  readonly index: number;
  /** Its nodes that are not terminal. */
  readonly left: number;
  /** It has failed, and ends as soon as nothing is left. */
  readonly failed: boolean;
}

export interface StoredSignal {
  readonly name: string;
  readonly id: string;
  readonly payload: Json;
}

/** Who sent a command, and when. */
export interface Envelope {
  /** Unique; a command that comes again is answered as before and changes nothing. */
  readonly id: string;
  readonly by: string | null;
  readonly at: Millis;
  readonly cause: Cause;
}

export interface Decided {
  /**
   * Undefined where nothing happened that anybody must know: a timer that is void, a command that came again. Where there
   * is no such execution, or it has ended, a rejection with `seq` 0, which belongs to no history.
   */
  readonly record: StepRecord | undefined;
  /** What the caller is to do when the step is committed, or may do at once where attempts fence it. */
  readonly effects: readonly Effect[];
  /** There is more to do: send `continue`. */
  readonly more: boolean;
}

/** What a step asks of the world. Whoever keeps the rows keeps it with them: it is not asked again after a restart. */
export type Effect =
  /** Run a task (or a segment). It was QUEUED; a slot is wanted for it. */
  | {
      readonly effect: 'queue';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly priority: number;
      readonly deadline: Millis | null;
    }
  | {
      readonly effect: 'run';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      /** Of the execution. */
      readonly mode: Mode;
      readonly inputs: { readonly [port: string]: Json };
      readonly config: Json;
      readonly resume: Json;
      /** Attempts before it, in a row, whose process ended: where there are any, `called` says when it is made. */
      readonly lost: number;
      /** Of a segment: it ends as soon as it has taken what is there. */
      readonly ending: boolean;
      /** By whose id its segments are called: its own, or that of the first execution that it goes on from. */
      readonly first: string;
    }
  /** What is there is the whole: for a segment that runs. */
  | { readonly effect: 'end'; readonly node: number; readonly iteration: string; readonly attempt: number }
  /** A segment that runs is to stop where it is, and to keep what it has. */
  | { readonly effect: 'savepoint'; readonly node: number; readonly iteration: string; readonly attempt: number }
  /** The attempt is no longer wanted. `again`: another goes on with what it has done. */
  | {
      readonly effect: 'abort';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly again?: true;
    }
  | {
      readonly effect: 'set-timer' | 'clear-timer';
      readonly timer: TimerKind;
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly due: Millis;
    }
  /** To another execution: a child starts, a parent hears that its child has ended, a child is cancelled. */
  | { readonly effect: 'send'; readonly execution: string; readonly workflow: string | null; readonly command: Command }
  | TellStarted
  | TakeUp
  /** To a session; or that an execution which a node starts shares the hold of one, and has ended. */
  | {
      readonly effect: 'session';
      readonly address: string;
      readonly say: SessionSay | { readonly do: 'share' | 'unshare'; readonly holder: string };
    }
  | {
      readonly effect: 'dead-letter';
      readonly id: string;
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly reason: string;
      readonly error: FailureInfo;
      readonly input: Json;
    };

/** Runs an inline node; what it throws is a failed attempt. The only door to code of users, and never used by `evolve`. */
export type RunInline = (
  node: GraphNode,
  config: Json,
  inputs: { readonly [port: string]: Json },
  at: { readonly at: Millis; readonly execution: string; readonly iteration: string; readonly attempt: number },
) => { readonly [port: string]: Json };

export interface Lifecycle {
  /** Judges a command, and applies what comes of it to the rows. */
  decide(rows: Rows, graph: Graph, execution: string, command: Command, envelope: Envelope): Decided;
  /** Applies one event of a step to the rows: what `decide` does, and all that replay does. */
  evolve(rows: Rows, graph: Graph, record: StepHead, event: StepEvent): void;
  /** What arrives at the ports of a node at the top. */
  inputs(rows: Rows, graph: Graph, node: number): { readonly [port: string]: Json };
  /** Why a node is where it is. */
  explain(
    rows: Rows,
    graph: Graph,
    node: string,
    iteration: string,
    now: Millis,
    /** Who holds the session that it waits for, where somebody has asked. */
    holder?: { readonly execution: string; readonly since: Millis },
  ): Explanation;
}

/** What `evolve` reads of a step record besides its events. `graph` is that of its revision, of a patch the new one. */
export type StepHead = Pick<StepRecord, 'execution' | 'seq' | 'at' | 'revision' | 'definition' | 'cause'>;

/** The world that the lifecycle is handed. */
export interface LifecycleParts {
  readonly runInline: RunInline;
  /** What code of users has thrown, in the words of the engine. */
  failure(thrown: unknown, instance: string): FailureInfo;
  /** Default {@link HELD_AFTER}. */
  readonly heldAfter?: number;
  /** The next revision of a graph, or what is wrong with it. */
  patch(graph: Graph, ops: readonly PatchOp[]): Graph | readonly DocumentFault[];
  /** For tests that plant mistakes: what becomes of an event before it is applied. */
  readonly tap?: (event: StepEvent, rows: Rows) => StepEvent | undefined;
}

export { type Command, PATCH_OPS, type PatchOp } from './command.ts';
export { createLifecycle } from './decide.ts';
export type { Explanation } from './explain.ts';
export { openChildren, unkeptChildren } from './family.ts';
export { begunSegments, continuation, continuesOf, firstOf, keptChildren, outputsOf, successor } from './goes-on.ts';
export { GRACE_MS, HELD_AFTER, MAX_STEP_NODES, MAX_SYSTEM_FAILURES, MAX_VALUE_BYTES } from './limits.ts';
export { MemoryRows } from './memory-rows.ts';
export { PROCESS_LOST } from './quarantine.ts';
export { isTerminal, keyOf, PENDING_ROW, partsOf } from './row.ts';
export { sized } from './sized.ts';
export { startForRecord } from './start-for-record.ts';
export { readToken } from './tokens.ts';
export { isLegal } from './transitions.ts';
