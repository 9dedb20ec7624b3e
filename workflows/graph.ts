import type { Json, Millis } from '../core/ids.ts';
import type { FailureClass } from '../events/events.ts';
import type { Expression } from '../expressions/expressions.ts';
import type { NodeType } from './catalog.ts';
import type { WorkflowDocument } from './document.ts';
import type { Segment } from './segments/segments.ts';

/**
 * A document, compiled: nodes and edges by number, policies with every default filled in, expressions compiled. Made once
 * for a definition (by hash) and a revision, and shared by all of its executions; never changed. The lifecycle works on
 * it alone, and never looks at the document.
 *
 * Numbers of nodes and edges are their places in the document that was published; what patches add follows behind. A node
 * or edge that a patch removed keeps its number, `removed`, though the document of that revision has it no more.
 */
export interface Graph {
  readonly document: WorkflowDocument;
  /** Of the canonical JSON of the document without `ui` and positions: SHA-256 in hex. */
  readonly hash: string;
  readonly revision: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Filled with `input` and `nodes`, by node id and port: `nodes.pay.out`, `nodes['pay-2'].out`. Null: the default. */
  readonly outputs: readonly { readonly name: string; readonly value: Template }[] | null;
  /** The session that its executions hold, one after the other. */
  readonly session?: GraphSession;
  number(id: string): number | undefined;
  /**
   * Where the document has nodes of the data plane: the graph with its edges of records, and its segments. In the graph
   * that stands here, the control plane's, each segment is one node with its inner ones behind it; see `segments/collapse.ts`.
   */
  readonly records?: { readonly graph: Graph; readonly segments: readonly Segment[] };
}

export interface GraphNode {
  readonly number: number;
  readonly id: string;
  readonly type: NodeType;
  readonly config: Json;
  /** The configuration with its expressions to be filled in. */
  readonly template: Template;
  /** Ports at which it may put out values: of its type, its configuration, and its own; without `error`. */
  readonly outputs: readonly string[];
  readonly parent: number;
  readonly children: readonly number[];
  /** Of a child of a `try`: which part it belongs to. `body` everywhere else. */
  readonly role: 'body' | 'catch' | 'finally';
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
  readonly join: Join;
  readonly retry: Retry;
  readonly timeouts: {
    readonly queueMs: Millis | null;
    readonly runMs: Millis | null;
    readonly totalMs: Millis | null;
  };
  readonly onError: 'fail' | 'continue' | 'route' | 'hold' | 'dead-letter';
  readonly required: boolean;
  /** It is held where it ends the processes that call it. */
  readonly quarantine: boolean;
  readonly priority: number;
  /** Whose slots its tasks take. */
  readonly pool: string;
  readonly disabled: boolean;
  readonly removed: boolean;
  /** Of an inner node of a segment: the node that stands for the segment. -1 everywhere else, and of that node too. */
  readonly standIn: number;
  /**
   * The node that compensates it, or -1. Who compensates has no edges, and runs only when what it undoes was done and
   * the execution fails for good.
   */
  readonly compensation: number;
  /** What it reads and writes of the session. */
  readonly session?: {
    readonly read: readonly string[];
    readonly writes: readonly { readonly key: string; readonly template: Template }[];
  };
}

export interface GraphSession {
  readonly name: string;
  /** Filled with `input` and `user`. */
  readonly id: Template;
  readonly ttlMs: Millis;
  readonly keys: readonly {
    readonly name: string;
    readonly default: Json | undefined;
    /** Why a value does not fit its schema. */
    fault(value: Json): string | undefined;
  }[];
}

export interface GraphEdge {
  readonly number: number;
  /** As in the document, or made of its ends: `a.out>b.in`. */
  readonly id: string;
  readonly source: number;
  /** `''` of a control edge that names none: it is taken whatever port the node put out at. */
  readonly sourcePort: string;
  readonly target: number;
  /** `''` of control edges: they carry no value. */
  readonly targetPort: string;
  readonly kind: 'data' | 'control' | 'error';
  readonly when: Expression<boolean> | null;
  readonly map: Template | null;
  readonly removed: boolean;
}

export type Join =
  | { readonly policy: 'all' | 'any' | 'all-done' }
  | { readonly policy: 'atLeast'; readonly count: number }
  | { readonly policy: 'when'; readonly expression: Expression<boolean> };

export interface Retry {
  readonly maxAttempts: number;
  readonly backoff: 'none' | 'fixed' | 'exponential';
  readonly initialMs: Millis;
  readonly maxMs: Millis;
  readonly factor: number;
  readonly jitter: 'none' | 'full' | 'equal';
  readonly on: readonly FailureClass[];
}

/**
 * JSON in which strings that begin with `=` are expressions (`"= input.total * 2"`), a literal one being written `==`,
 * and fields that the node type names as expressions are such without it.
 *
 * What an expression of a node may read:
 * - `input`: what the execution was started with.
 * - `value`: what arrived at the port `in`; `inputs`: what arrived, by port. A node without incoming edges has at `in` what
 *   its container gives it (in a `map` the item, in a `loop` what the last iteration gave, at first what arrived at the
 *   loop, in a `try` what arrived there, in its `catch` the failure), and at the top the input of the execution. A port
 *   that one edge leads to holds what that carried; one that several lead to holds an object by source node id of those
 *   that were taken, but under the policy `any` what came first.
 * - `item`, `index` within a `map`; `last`, `iteration` within a `loop` and in its own `while`; `error` behind an error
 *   edge and within `catch`: class, code, message, node, and `detail` where whoever threw it gave one.
 * - `now`: the wall time of the step, in milliseconds.
 * - `session`: the keys of the session that the node declares to read.
 *
 * Edges read `value` (what they carry) and `input`; joins by `when` the outcomes by node id, such as `a.succeeded`.
 */
export interface Template {
  readonly constant: boolean;
  fill(scope: Readonly<Record<string, unknown>>): Json;
}
