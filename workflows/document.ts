import type { Json } from '../core/ids.ts';

/**
 * A workflow document: JSON, as `document.schema.json` says (published with the package), and as an editor keeps it: it
 * opens in React Flow without a mapping. What the schema cannot say `validate.ts` does; see there for the rules.
 */
export interface WorkflowDocument {
  readonly apiVersion: 'nodeflow/v1';
  readonly id: string;
  readonly name: string;
  /** `major.minor.patch`; a published version never changes. */
  readonly version: string;
  readonly description?: string;
  readonly labels?: { readonly [name: string]: string };
  /** Default `realtime`. */
  readonly mode?: 'realtime' | 'batch' | 'streaming';
  /** Runs of its nodes of the data plane have topics of their own, as streaming ones always have. Default: they share. */
  readonly dedicated?: boolean;
  readonly inputs?: Ports;
  /** What an execution answers: an expression each. Default: the outputs of nodes without outgoing edges, by node id. */
  readonly outputs?: { readonly [name: string]: Json };
  readonly triggers?: readonly TriggerSpec[];
  /** What executions of one user keep between them, and that they run one after the other; see docs/workflows/sessions.md. */
  readonly session?: SessionSpec;
  /** Of every node that says nothing else. */
  readonly policy?: PolicySpec;
  readonly nodes: readonly NodeSpec[];
  readonly edges: readonly EdgeSpec[];
  /** What a node put out once, to be used instead of running it, where a start asks for it. */
  readonly pins?: { readonly [node: string]: readonly Json[] };
  /** For editors; never read. */
  readonly ui?: { readonly [name: string]: Json };
  readonly origin?: { readonly format?: string; readonly source?: string; readonly notes?: readonly string[] };
}

export interface NodeSpec {
  readonly id: string;
  /** `expression`, `task.http`, `op.window.tumbling`, `my-company/score@2`: a type of the catalog. */
  readonly type: string;
  /** The container (loop, map, try) that it lies in. */
  readonly parentId?: string;
  readonly position?: { readonly x: number; readonly y: number };
  readonly data?: NodeData;
}

export interface NodeData {
  readonly label?: string;
  readonly config?: { readonly [name: string]: Json };
  readonly inputs?: Ports;
  readonly outputs?: Ports;
  readonly policy?: PolicySpec;
  readonly session?: NodeSessionSpec;
  /** The node that undoes what this one did, when the execution fails later: one without edges, on the same level, for this alone. */
  readonly compensation?: string;
  readonly disabled?: boolean;
}

export interface SessionSpec {
  /** Default: the workflow's id. Workflows that give one name share its sessions. */
  readonly name?: string;
  /** Whose it is: an expression over `input` and `user`, who has started it, such as `= input.customer`; or a text. */
  readonly id: string;
  /** How long it lasts behind its last use. */
  readonly ttl: string;
  /** What nodes may read and write of it; with a `default` a key is never absent. */
  readonly keys: { readonly [key: string]: { readonly schema?: Json; readonly default?: Json } };
}

export interface NodeSessionSpec {
  /** Keys that its configuration reads, as `session.cart`. */
  readonly read?: readonly string[];
  /** What becomes of keys when it is COMPLETED: JSON with expressions over what its configuration reads, and `outputs`. */
  readonly write?: { readonly [key: string]: Json };
}

export type PortKind = 'value' | 'dataset' | 'stream' | 'signal' | 'error';

export interface PortSpec {
  readonly kind: PortKind;
  /** A JSON Schema, or the name of one: `avro:<subject>`, `json:<name>`. */
  readonly schema?: Json;
  readonly optional?: boolean;
  readonly default?: Json;
}

export type Ports = { readonly [name: string]: PortSpec };

export interface EdgeSpec {
  readonly id?: string;
  readonly source: string;
  /** The output port; default `out`, of nodes with one output that one. `error`, which every node has, makes an error edge. */
  readonly sourceHandle?: string | null;
  readonly target: string;
  /** The input port; default `in`. */
  readonly targetHandle?: string | null;
  readonly type?: string;
  readonly data?: {
    readonly kind?: 'data' | 'control' | 'error';
    /** An expression over `value` (what the edge carries) and `input` (of the execution): false skips the edge. */
    readonly when?: string;
    /** What arrives, by field: expressions over `value` and `input`. */
    readonly map?: { readonly [name: string]: Json };
    /** Of streams and datasets: an expression for the key that records are partitioned by. */
    readonly partitionBy?: string;
    readonly buffer?: {
      readonly items?: number;
      readonly bytes?: number;
      readonly overflow?: 'block' | 'drop-new' | 'drop-old' | 'spill';
    };
  };
}

export type JoinSpec =
  /** Every incoming edge has told its outcome, and not all were skipped. A failure is not taken: it skips the node. */
  | 'all'
  /** The first edge that is taken. */
  | 'any'
  /** Every edge has told its outcome, whatever it was; failures are outcomes too. */
  | 'all-done'
  | { readonly atLeast: number }
  /** Over outcomes by source node id: `a.succeeded && (c.succeeded || c.failed)`; see docs/workflows/joins.md. */
  | { readonly when: string };

export interface RetrySpec {
  readonly maxAttempts?: number;
  readonly backoff?: 'none' | 'fixed' | 'exponential';
  readonly initial?: string;
  readonly max?: string;
  readonly factor?: number;
  readonly jitter?: 'none' | 'full' | 'equal';
  readonly on?: readonly ('TRANSIENT' | 'SYSTEM' | 'USER' | 'PERMANENT')[];
}

export interface PolicySpec {
  readonly join?: JoinSpec;
  readonly retry?: RetrySpec;
  readonly timeout?: { readonly queue?: string; readonly run?: string; readonly total?: string };
  readonly onError?: 'fail' | 'continue' | 'route' | 'hold' | 'dead-letter';
  /** False: its failure degrades the execution and does not fail it. Default true. */
  readonly required?: boolean;
  /**
   * False: a task that ends the processes which call it is not held for that, and fails after more of them; see
   * docs/workflows/quarantine.md. Default true.
   */
  readonly quarantine?: boolean;
  readonly priority?: number;
  readonly deadline?: string;
  readonly concurrency?: {
    readonly key?: string;
    readonly max?: number;
    readonly overflow?: 'queue' | 'cancel-new' | 'cancel-oldest' | 'fail';
  };
  readonly rate?: Json;
  readonly circuit?: Json;
  readonly placement?: Json;
  readonly cache?: Json;
  readonly lateness?: string;
}

export interface TriggerSpec {
  readonly type: 'manual' | 'schedule' | 'webhook' | 'topic' | 'event' | 'workflow';
  /** Of `schedule`: `cron`, `timeZone`, `input`, `from` and `until`; see docs/workflows/schedules.md. */
  readonly config?: { readonly [name: string]: Json };
  /** Of `schedule`, what happens when the execution before has not ended. Default `skip`. */
  readonly overlap?: 'allow' | 'skip' | 'queue' | 'replace';
  /** Of `schedule`, which times are made up for that were missed while nothing ran. Default `last`. */
  readonly catchUp?: 'none' | 'last' | 'all';
}

/** One thing that is wrong with a document. All are told at once. */
export interface DocumentFault {
  /** Stable, such as `workflow.cycle`, `workflow.unknown-type`, `workflow.expression`; docs/workflows/faults.md lists them. */
  readonly code: string;
  /** A JSON pointer: `/nodes/3/data/config/url`. */
  readonly pointer: string;
  readonly message: string;
  readonly cure: string;
}
