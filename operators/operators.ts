import type { Millis } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { Table } from '../state/state.ts';
import type { CallSettings, CodeRef, CodeRole, NodeKind, NodeOf, PlanNode, StoreKind } from '../topology/plan.ts';
import type { Caller, CallResults } from './calls.ts';
import type { MailboxOwner } from './mailbox.ts';
import type { Rec } from './record.ts';

/**
 * How each plan node behaves: one file a kind, all synchronous.
 *
 * A node becomes an {@link Operator} by its factory in {@link OPERATORS}. The runtime builds a task's operators
 * from the leaves up, handing each the `next` of its children, so an operator only ever calls one function;
 * {@link fuse} says which nodes hang on which port, {@link fanOut} makes one push of several, {@link NOWHERE}
 * stands for none. Records are pushed depth-first, one at a time, in input order; siblings in the order of the
 * plan. Sources (`source`, `read`) have no operator: the task reads, decodes, stamps and pushes.
 *
 * What an operator may rely on and must keep to:
 * - A pushed {@link Rec} is valid until the push returns; it may be pushed on unchanged.
 * - Everything it changes (tables, clocks, counters, outputs) it got from its {@link OperatorContext}, where each
 *   part takes part in the undo of the step. It keeps no other state between records.
 * - A cold read throws through it; it needs no handling, but there must be nothing to clean up.
 * - It never awaits, reads no wall clock, draws no randomness.
 * - An exception of user code goes up to the task, which decides by policy.
 */
export type Push = (record: Rec) => void;

export interface Operator {
  /** One entry for each of the node's inputs, in order; a `table` has one, for the records of its topic. */
  readonly inputs: readonly Push[];
  /** Of a filter that looks at the value alone: how it may be asked without a record being pushed. */
  readonly screen?: Screen;
  /**
   * Called once, in a step of its own, when the state is restored and before the first record: work that a crash
   * cut short goes on, by `context.scan`.
   */
  start?(): void;
  /**
   * Called, in a step of its own, when nothing more will come: bounded inputs have all ended. Open windows close,
   * by `context.scan`. Called again after a crash; what has closed stays closed.
   */
  end?(): void;
  /**
   * Called, in a step of its own, when its clock has moved and no record of its own moved it: so it is with a clock that
   * a stage shares (see {@link OperatorClock}). What is due by the clock happens now, by `context.scan` where it may be
   * much: windows close, what waited goes out. Every operator that does something when a record moves its clock has this
   * too, and does the same in both.
   */
  time?(): void;
  /**
   * The oldest timestamp of what it has taken in and has yet to put out, or Infinity: rows of open windows whose final
   * results are wanted, records in buffers, results that wait for a match or for a call in flight. Too old is right too,
   * so the start of a window stands for its rows. Time does not pass the operator beyond it: what it will put out is not
   * to be late where it goes. Asked between records, and of what lies in memory: numbers, panes, no rows.
   */
  held?(): Millis;
  close?(): void;
}

/** `inputs[0]` of its filter is: `if (passes(record.value)) next(record)`. */
export interface Screen {
  passes(value: unknown): boolean;
  readonly next: Push;
}

export type OperatorFactory<Kind extends NodeKind> = (
  node: NodeOf<Kind>,
  context: OperatorContext,
  /**
   * Where its output goes, one push a port: for `branch` one per arm, in order; for `aggregate` the updates, then
   * the final results; for all others one. A port that nobody listens to is {@link NOWHERE}, and costs nothing:
   * an aggregate of which only finals are wanted makes no update records.
   */
  next: readonly Push[],
) => Operator;

/** What the task lends to one operator. */
export interface OperatorContext {
  readonly step: Step;
  /**
   * The function that a node names in a role; without `node` it is the operator's own. Functions get `(value, key)`; one
   * that declares a single parameter gets the value alone, and the key is not decoded for it.
   */
  fn<F>(role: CodeRole, ref: CodeRef, node?: PlanNode): F;
  serde(name: string): Serde<unknown>;
  /** That of the task; of a global table the worker's copy, to be read only. */
  table(store: string): Table;
  /**
   * The serdes and retention of a store, for typed access. The key is that of a row: for window stores without
   * the window. Rows of a cell table are in the value serde's cells. A pane of a windowed aggregate stays until it
   * has closed and a newer one lies ahead of it by `retentionMs`, or by what it was open for if that is more.
   */
  storeSerdes(store: string): StoreSerdes;
  /**
   * Whether somebody behind the node asks for the value that each of its records replaces: then the node, which is a
   * table, sets `old` of every record that it puts out. See `olds.ts`.
   */
  readonly wantsOld: boolean;
  /** Which of the stage's tasks this is: it reads this partition of each topic. */
  readonly partition: number;
  /** Another node of the stage, by id: a table that keeps no rows is read through the nodes before it. */
  node(id: string): PlanNode;
  /** A number that is undone with the step, committed with the positions and restored: operator time, cursors. */
  number(name: string, initial: number): KeptNumber;
  /** The clock by which the operator judges what is late; named like a number, and kept as one. */
  clock(name: string): OperatorClock;
  /** The clock by which a store forgets, one for all nodes that use it: the largest time that was put into it. */
  storeClock(store: string): OperatorClock;
  /**
   * Counts a record that goes no further, by reason; undone with the step. A `late` one is pushed to the nodes that
   * listen for it, once a call: where it was late for several windows, say for how many in one call.
   */
  drop(reason: DropReason, record: Rec, times?: number): void;
  /** Where a sink or a repartition writes. */
  output(topic: string): Output;
  /**
   * Hands a scan of unbounded size to the task. It runs after the current record's step, each `advance` a step
   * of its own; a commit may fall in between, so its progress is kept in numbers and tables only. What an
   * `advance` asks for by itself lies behind, and comes before the next one. It is asked again after a restart by the
   * operator's own check of its clock, what lies behind another first ({@link behindFirst}).
   */
  scan(scan: ResumableScan): void;
  /**
   * For a scan that must come before the results of the record at hand: gives up the step, as a cold read does. What
   * the record did is undone, the scan runs to its end, and the record runs again. The scan needs no more of the
   * record than it has copied, or refers to within the batch it was read from.
   */
  scanFirst(scan: ResumableScan): never;
  /** For calls of functions that take time: the task makes them, and lets these results leave; see `calls.ts`. */
  calls(settings: CallSettings, results: CallResults): Caller;
  /** Registers a punctuation of a user operator; see `process.ts`. */
  schedule(name: string, intervalMs: Millis, time: 'stream' | 'wall', fire: (at: Millis) => void): void;
  /** Registers an alarm of a user operator; the number is when it fires next, {@link NO_ALARM} for never. */
  alarm(name: string, fire: (at: Millis, due: Millis) => void): KeptNumber;
  /** Asks for a mailbox; see `mailbox.ts`. */
  mailbox(owner: MailboxOwner<unknown>): void;
  /** Stream time of the task: the largest timestamp taken. */
  readonly streamTime: KeptNumber;
}

export const NO_ALARM = Number.MAX_SAFE_INTEGER;

/** What stores of user operators take of it. */
export type StoreContext = Pick<OperatorContext, 'table' | 'storeSerdes' | 'storeClock'>;

export interface StoreSerdes {
  readonly kind: StoreKind;
  readonly key: Serde<unknown>;
  readonly value: Serde<unknown>;
  readonly retentionMs?: Millis | null;
}

export interface ResumableScan {
  /** Does one bounded piece of work; false when nothing is left. May miss. */
  advance(): boolean;
  /**
   * Passes over the piece at hand, in a step of its own: `advance` failed on it for good (user code behind the
   * operator threw), its step was rolled back, and policy says to go on.
   */
  skip?(): void;
}

/**
 * Event time as an operator sees it. It never goes back.
 *
 * Where each input of a stage comes of one task, or of a source that declares no watermark, the operator has a clock of
 * its own, which its records move before they are judged. Elsewhere the stage has one, the least time of all its inputs,
 * and `see` does nothing: it moves between two records, and the operator is told by {@link Operator.time}. An operator's
 * clock then stays behind what operators before it in the stage hold.
 */
export interface OperatorClock {
  readonly value: Millis;
  /** Takes the time of a record before the record is judged. */
  see(at: Millis): void;
  /** Moves it to where the last window closes, when nothing more will come. */
  finish(at: Millis): void;
}

export interface KeptNumber {
  readonly value: number;
  set(value: number): void;
}

/** Why a record went no further. Each has a counter per node; none is silent. */
export type DropReason =
  /** Its windows had closed, or what it would be judged by may be forgotten. */
  | 'late'
  /** A keyed operation met a null key, or a row of an inner join named no foreign key. */
  | 'null-key'
  /** A join of tables met an update of a versioned table that came behind a newer one of its key. */
  | 'out-of-order'
  /** An answer within a foreign-key join to what its row said before it changed: the change is answered by itself. */
  | 'stale'
  /** A null value where the operation has no use for one. */
  | 'null-value'
  /** One like it passed, less than `within` away in time. */
  | 'duplicate'
  /** No arm of a branch took it. */
  | 'no-arm'
  /** Its timestamp is negative. */
  | 'negative-time'
  /** Its timestamp is beyond 2^53, no number, or further ahead than its source allows. */
  | 'absurd-time'
  /** It could not be decoded, and policy said skip. */
  | 'undecodable'
  /** An operator failed on it, and policy said skip. */
  | 'failed';

/** The buffer of one topic's records within the current epoch. */
export interface Output {
  /**
   * Writes the record under the output's serdes, to the partition of its key (Kafka's partitioner; null keys
   * go round by batch), or to a given one. Limits of the topic are checked here, inside the step.
   */
  write(record: Rec, partition?: number): void;
}

export { behindFirst } from './behind-first.ts';
export type { Call, Caller, CallResults } from './calls.ts';
export { fanOut, fuse, latePort, NOWHERE, type Wire } from './fuse.ts';
export type { Mailbox, MailboxOwner } from './mailbox.ts';
export { nodesWithOlds } from './olds.ts';
export { OwnClock } from './own-clock.ts';
export type {
  Alarm,
  KeyValueStore,
  ProcessContext,
  Processor,
  ProcessorSupplier,
  Session,
  SessionStore,
  Version,
  VersionedStore,
  WindowStore,
} from './process.ts';
export { Rec } from './record.ts';
export { shared } from './shared.ts';
export { createStoreQuery, type FoundRow, type StoreQuestion, unsortedRows } from './store-query.ts';
export { OPERATORS } from './table.ts';
export { startOfPane } from './windowed-keys.ts';
