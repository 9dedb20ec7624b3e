import type { Json, Millis } from '../core/ids.ts';
import type { FailureClass } from '../events/events.ts';
import type { Expression } from '../expressions/expressions.ts';
import type { NodeType } from './catalog.ts';
import type { WorkflowDocument } from './document.ts';

/**
 * A document, compiled: nodes and edges by number, policies with every default filled in, expressions compiled. Made once
 * for a definition (by hash) and a revision, and shared by all of its executions; never changed. The lifecycle works on
 * it alone, and never looks at the document.
 *
 * Numbers of nodes and edges are their places in the document, so that a patch, which only appends, leaves them as they
 * are; a node or edge that a patch removed stays in its place, `removed`.
 */
export interface Graph {
  readonly document: WorkflowDocument;
  /** Of the canonical JSON of the document without `ui` and positions: SHA-256 in hex. */
  readonly hash: string;
  readonly revision: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Nodes without a parent, and without an incoming edge. */
  readonly roots: readonly number[];
  readonly outputs: readonly { readonly name: string; readonly value: Template }[] | null;
  number(id: string): number | undefined;
}

export interface GraphNode {
  readonly number: number;
  readonly id: string;
  readonly type: NodeType;
  readonly config: Json;
  /** The configuration with its expressions to be filled in. */
  readonly template: Template;
  readonly parent: number;
  readonly children: readonly number[];
  /** Of a container: its children without an incoming edge. */
  readonly entries: readonly number[];
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
  readonly priority: number;
  readonly disabled: boolean;
  readonly removed: boolean;
  /** The node that compensates it, or -1; see docs/workflows/errors.md. */
  readonly compensation: number;
  /** Of nodes of the data plane: the segment they belong to, or -1. The control plane sees the segment's first node only. */
  readonly segment: number;
}

export interface GraphEdge {
  readonly number: number;
  readonly source: number;
  readonly sourcePort: string;
  readonly target: number;
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
 */
export interface Template {
  readonly constant: boolean;
  fill(scope: Readonly<Record<string, unknown>>): Json;
}
