import type { Json, Millis } from '../core/ids.ts';
import type { CallNode } from './call-nodes.ts';
import type { JoinNode } from './join-nodes.ts';

/**
 * The plan: what runs, as frozen, printable JSON. The second door of this room, for machines: front ends
 * add nodes, the validator judges them, the runtime builds operators from them. A plan holds no code: a node
 * names its functions `<node id>/<role>` and its serdes by name; both stand in a {@link Code} beside it.
 * Equal plans are equal JSON; `planHash` is their identity.
 *
 * Ids are given by the user where state or a topic hangs on them; others are kind, nearest named ancestor
 * and ordinal (`filter:orders:1`), and never part of a topic's or a store's name.
 */
export const PLAN_FORMAT = 1;

export interface Plan {
  readonly format: typeof PLAN_FORMAT;
  /** The application: prefix of its topics, its group, its state folder. */
  readonly name: string;
  /** In topological order: a node stands behind its inputs. */
  readonly nodes: readonly PlanNode[];
  /** Every topic read or written, sorted by name. */
  readonly topics: readonly PlanTopic[];
  readonly stores: readonly PlanStore[];
  /** The nodes cut at topics into what one task runs; see `split.ts`. */
  readonly stages: readonly Stage[];
}

export interface PlanTopic {
  readonly name: string;
  readonly partitions: number;
  readonly key: string;
  readonly value: string;
  /** Made and owned by the engine (named `nf.<application>.<name>.repartition`), or the user's. */
  readonly internal: boolean;
  /** How records of other writers lie in it: by Kafka's default partitioner over the key, or unknown. */
  readonly partitioner: 'key' | 'unknown';
}

export interface PlanStore {
  readonly name: string;
  readonly kind: StoreKind;
  readonly key: string;
  readonly value: string;
  /** The nodes that use it, the writer first. */
  readonly nodes: readonly string[];
  /**
   * How far behind the largest time that the store has seen its rows are kept: windows by their start (or end),
   * sessions by their end, earlier versions by when they ceased to be valid. Null: for good.
   */
  readonly retentionMs: Millis | null;
}

/**
 * - `key-value`: the newest row per key.
 * - `window`: rows by window start and key.
 * - `session`: rows by key, start and end.
 * - `versioned`: the newest row per key; its earlier ones lie in the store that {@link historyOf} names.
 * - `history`: the earlier rows of a versioned store, by key and the time at which they ceased to be valid.
 * - `buffer`: records that wait, in order of time and key.
 * - `join`: records of one side of a join of streams, by time, key and number.
 * - `pending`: records of a join of streams that have found no partner, by side, time and key.
 * - `global`: the newest row per key of a whole topic, a copy in each worker, without a changelog.
 * - `subscription`: the keys of a left table by the foreign key that their rows name, for fan-out in that order.
 * - `leavings`: how many unsubscriptions of a left key are on their way to the right side of a foreign-key join.
 * - `calls`: records of which a call of a function is on its way, in the order taken.
 */
export type StoreKind =
  | 'key-value'
  | 'window'
  | 'session'
  | 'versioned'
  | 'history'
  | 'buffer'
  | 'join'
  | 'pending'
  | 'global'
  | 'subscription'
  | 'leavings'
  | 'calls';

export interface StoreForm {
  /** Its rows lie in panes, each dropped as a whole. */
  readonly paned: boolean;
  /** Its rows are more than values of its format, so they are never cells. */
  readonly raw: boolean;
  /** It is read in the order of its row keys; others are where a user operator asks for ranges. */
  readonly ordered: boolean;
}

/** How the rows of each kind of store lie. */
export const STORE_FORMS: { readonly [Kind in StoreKind]: StoreForm } = {
  'key-value': { paned: false, raw: false, ordered: false },
  window: { paned: true, raw: false, ordered: false },
  session: { paned: true, raw: false, ordered: true },
  versioned: { paned: false, raw: true, ordered: false },
  history: { paned: true, raw: true, ordered: true },
  buffer: { paned: false, raw: true, ordered: true },
  join: { paned: true, raw: true, ordered: false },
  pending: { paned: true, raw: true, ordered: true },
  global: { paned: false, raw: true, ordered: false },
  subscription: { paned: false, raw: true, ordered: true },
  leavings: { paned: false, raw: false, ordered: false },
  calls: { paned: false, raw: true, ordered: true },
};

/** The store with the earlier rows of a versioned one. */
export function historyOf(store: string): string {
  return `${store}.history`;
}

/**
 * A connected set of nodes between topics. Its tasks are `partitions` many; where a connector feeds it that
 * number is 1 here, and one for each split of the connector at run time. Where its topics differ in partitions,
 * it has as many tasks as the largest, and the last ones do not read the smaller topics.
 */
export interface Stage {
  /**
   * After what it reads first: the id of its first source, table or read node, or of the repartition before it,
   * with a dot for the colon (`source.orders`), so that it may stand in names of topics and folders.
   */
  readonly id: string;
  readonly nodes: readonly string[];
  readonly partitions: number;
  /** Topics it reads, by its `source` and `table` nodes and behind the repartitions before it. */
  readonly reads: readonly string[];
  /** Topics it writes. */
  readonly writes: readonly string[];
  readonly stores: readonly string[];
  /** Its `read` node, where a connector feeds it. */
  readonly connector: string | null;
}

/** `<node id>/<role>`: a function's place in {@link Code}; or `= <source>`: an expression, which needs none. */
export type CodeRef = string;

interface NodeCommon {
  readonly id: string;
  /** Ids of the nodes whose records it gets, in order. */
  readonly inputs: readonly string[];
  /** Serde names of what the node puts out, where known: a map's new value has none until a topic or store gives one. */
  readonly key: string | null;
  readonly value: string | null;
}

/**
 * How records fall into windows; the words of each kind stand at the function of `windows.ts` or `more-windows.ts` that
 * makes it. Late beyond grace, in words of the field: a record whose window closed before it came.
 */
export type WindowSpec =
  | { readonly type: 'tumbling'; readonly sizeMs: Millis; readonly graceMs: Millis }
  | { readonly type: 'hopping'; readonly sizeMs: Millis; readonly advanceMs: Millis; readonly graceMs: Millis }
  | { readonly type: 'sliding'; readonly differenceMs: Millis; readonly graceMs: Millis }
  /** Of one gap, or of the gap that the function in role `gap` tells of each record. */
  | { readonly type: 'session'; readonly gapMs: Millis | CodeRef; readonly graceMs: Millis }
  | { readonly type: 'unlimited'; readonly startMs: Millis }
  /** Of so many records of a key, one beginning with every so many. */
  | { readonly type: 'count'; readonly size: number; readonly every: number }
  | { readonly type: 'cumulative'; readonly stepMs: Millis; readonly maxMs: Millis; readonly graceMs: Millis }
  | {
      readonly type: 'calendar';
      readonly unit: 'day' | 'week' | 'month';
      readonly timeZone: string;
      readonly graceMs: Millis;
    }
  /** Code roles: `assign`, `mergeWindows`, `close`. */
  | {
      readonly type: 'custom';
      readonly name: string;
      readonly graceMs: Millis;
      readonly assign: CodeRef;
      readonly merge: CodeRef | null;
      readonly close: CodeRef | null;
    };

export type WindowType = WindowSpec['type'];
export type WindowOf<Type extends WindowType> = Extract<WindowSpec, { readonly type: Type }>;

/** What happens to a record that cannot be decoded or on which an operator fails. */
export type FailurePolicy = 'fail' | 'skip' | 'dead-letter';

/** What becomes of a record whose time is negative, beyond 2^53, no number, or too far ahead. */
export type AbsurdTimePolicy = 'clamp' | FailurePolicy;

/** What a source says of the times of its records. */
export interface SourceTiming {
  /** How far one record may move the time of its partition; null: as far as it likes. */
  readonly maxAheadMs: Millis | null;
  readonly onAbsurdTime: AbsurdTimePolicy;
  /** Its time is the largest seen in the partition less the disorder; idle null: as the run says. */
  readonly watermark: { readonly maxOutOfOrdernessMs: Millis; readonly idleMs: Millis | null } | null;
  /** It waits where it is further ahead of the slowest source of its group. */
  readonly align: { readonly group: string; readonly maxDriftMs: Millis } | null;
}

export type PlanNode = NodeCommon &
  (
    | {
        readonly kind: 'source';
        readonly topic: string;
        /** Event time: the record's timestamp, or a function of the value. */
        readonly time: CodeRef | null;
        readonly onUndecodable: FailurePolicy;
        /** Where anything is said of it. */
        readonly timing?: SourceTiming;
      }
    /** Records from a connector: files, generators, databases. Code roles: `source`, `key`, `time`. */
    | {
        readonly kind: 'read';
        readonly connector: Json;
        readonly source: CodeRef;
        readonly keyOf: CodeRef;
        readonly time: CodeRef;
        readonly bounded: boolean;
      }
    /** A topic read as a table into a store. */
    | { readonly kind: 'table'; readonly topic: string; readonly store: string; readonly onUndecodable: FailurePolicy }
    /** A whole topic as a table, of which each worker has a copy. It belongs to no stage. */
    | { readonly kind: 'globalTable'; readonly topic: string; readonly store: string }
    | { readonly kind: 'map'; readonly fn: CodeRef }
    | { readonly kind: 'mapValues'; readonly fn: CodeRef }
    | { readonly kind: 'filter'; readonly fn: CodeRef; readonly not: boolean }
    | { readonly kind: 'flatMap'; readonly fn: CodeRef }
    | { readonly kind: 'flatMapValues'; readonly fn: CodeRef }
    | { readonly kind: 'selectKey'; readonly fn: CodeRef }
    | { readonly kind: 'peek'; readonly fn: CodeRef }
    | { readonly kind: 'forEach'; readonly fn: CodeRef }
    /** Sends each record to the first arm whose predicate holds; none: dropped without effect. */
    | { readonly kind: 'branch'; readonly arms: readonly { readonly name: string; readonly fn: CodeRef | null }[] }
    | { readonly kind: 'arm'; readonly arm: string }
    | { readonly kind: 'merge' }
    /** Writes to its internal topic; what follows it is read from there in another stage. */
    | {
        readonly kind: 'repartition';
        readonly topic: string;
        /** Kept where a join that takes records without a key lies behind; see `null-keys.ts`. */
        readonly nullKeys: 'drop' | 'keep';
      }
    | {
        readonly kind: 'aggregate';
        readonly how: 'count' | 'reduce' | 'aggregate' | 'cogroup';
        readonly store: string;
        readonly window: WindowSpec | null;
        /** Every update, or, of windows, only the final result of each, when it has closed. */
        readonly emit: 'update' | 'close';
        /**
         * Of windows whose rows do not go by panes: a store of what is to be done when, or, of count windows, of the
         * number of records of each key.
         */
        readonly beside: string | null;
        /** Role `add` for reduce and aggregate, `initial` and, of merging windows, `merge` for aggregate and cogroup. */
        readonly add: CodeRef | null;
        readonly initial: CodeRef | null;
        readonly merge: CodeRef | null;
        /** Of a cogroup, for each input its own: roles `add-1`, `add-2`, in order. */
        readonly adds?: readonly CodeRef[];
      }
    /** Final results of the windowed aggregate that is its input, once per window, when it closes. */
    | { readonly kind: 'suppress' }
    /** The records that came too late to its input, an operator of windows or a join: as they came there. */
    | { readonly kind: 'late' }
    /**
     * Holds the updates of a table back, the newest of each key, in a buffer of its own: until their window closes,
     * or for a time. Null for a bound: none.
     */
    | {
        readonly kind: 'suppressBuffer';
        readonly until: 'windowClose' | 'timeLimit';
        /** How far the clock must be behind the place in time of a row: the grace of its window, or the limit. */
        readonly waitMs: Millis;
        readonly maxRecords: number | null;
        readonly maxBytes: number | null;
        readonly whenFull: 'emit-early' | 'fail';
        /** The rows by key, and their order in time. */
        readonly store: string;
        readonly order: string;
      }
    | { readonly kind: 'toTable'; readonly store: string }
    | { readonly kind: 'toStream' }
    /** Rows of a table that its predicate takes. Without a store, rows are looked up in the table before it. */
    | {
        readonly kind: 'filterTable';
        readonly fn: CodeRef;
        readonly not: boolean;
        readonly store: string | null;
        /** Which go on: those of rows that were taken, for which old values are asked for, or all. */
        readonly deletions: 'known' | 'all';
      }
    | { readonly kind: 'mapTable'; readonly fn: CodeRef; readonly store: string | null }
    /**
     * Each change of a table as changes under new keys: what it takes away, and what it brings. Its `fn` answers key
     * and value; a repartition stands behind it, whose values are changes.
     */
    | { readonly kind: 'groupTable'; readonly fn: CodeRef }
    /** Roles `add` and `subtract` for reduce and aggregate, `initial` for aggregate. */
    | {
        readonly kind: 'aggregateTable';
        readonly how: 'count' | 'reduce' | 'aggregate';
        readonly store: string;
        readonly add: CodeRef | null;
        readonly subtract: CodeRef | null;
        readonly initial: CodeRef | null;
      }
    /** The first record of a key, or of what `by` names within it, and none like it within a time. Role `by`. */
    | { readonly kind: 'deduplicate'; readonly store: string; readonly withinMs: Millis; readonly by: CodeRef | null }
    /** Each record with the previous one of its key, where that is not too old. */
    | { readonly kind: 'difference'; readonly store: string; readonly withinMs: Millis | null; readonly fn: CodeRef }
    | JoinNode
    | CallNode
    | {
        readonly kind: 'process';
        readonly supplier: CodeRef;
        readonly stores: readonly string[];
        /** It may forward other keys than it gets. */
        readonly rekeys: boolean;
      }
    /**
     * `inherited`: the record keeps the partition it was read from, since neither its key nor the partition
     * count has changed since then; `key`: Kafka's default partitioner over the encoded key.
     */
    | { readonly kind: 'to'; readonly topic: string; readonly partitioner: 'key' | 'inherited' }
  );

export type NodeKind = PlanNode['kind'];
export type NodeOf<Kind extends NodeKind> = Extract<PlanNode, { readonly kind: Kind }>;

/** The policy for operator errors stands on the application, per plan run; see `runtime/`. */
export type { CacheSettings, CallBegin, CallOrder, CallSettings } from './call-nodes.ts';
export { isExpression } from './expr.ts';
export { functionOf } from './functions-of.ts';
export { endsBefore } from './leads-to.ts';
export type { CodeRole } from './node-code.ts';
export { planHash } from './plan-hash.ts';
export type { Code, Program } from './program.ts';
export { lookedInto, ownStore, rowsBehind, suppressedBehind } from './table-rows.ts';
