import type { Json, Millis } from '../core/ids.ts';
import type { DocumentFault, NodeSpec, PolicySpec, Ports } from './document.ts';
import type { Flow, SegmentParts } from './segments/flows.ts';

/**
 * Types of nodes: what a document may name, what each one's ports and configuration are, and how the engine treats it.
 *
 * Built-in types and those of users stand in one {@link Catalog}, on equal terms. A type is data (ports, a JSON Schema of
 * its configuration, its documentation with an example that tests execute) and a {@link Behaviour}: what the lifecycle
 * does when a node of it is ready. There are few behaviours and many types.
 */
export interface NodeType {
  /** `task.http`, `my-company/score`; a version behind `@` where there is more than one. */
  readonly name: string;
  readonly version: number;
  readonly title: string;
  /** One paragraph; `nodeflow nodes` prints it. */
  readonly description: string;
  readonly inputs: Ports;
  readonly outputs: Ports;
  /** Ports that hang on the configuration, such as the cases of a switch. */
  portsOf?(node: NodeSpec): { readonly inputs: Ports; readonly outputs: Ports };
  /** JSON Schema of `data.config`. */
  readonly config: Json;
  /** Fields of the configuration that are expressions, by JSON pointer (`/url`, `/cases/*`), and what they may read. */
  readonly expressions?: readonly ExpressionField[];
  readonly behaviour: Behaviour;
  /** It fills in references to secrets, `{ "secret": "NAME" }`, when it runs; expressions may then give none. */
  readonly secrets?: boolean;
  /** What its policy is where neither node nor document say anything. */
  readonly policy?: PolicySpec;
  /** A document that uses it, its input and what comes out; executed by a test. */
  readonly example: NodeExample;
  /** What the schema of the configuration cannot say. `field`: a JSON pointer within it, such as `/max`. */
  check?(node: NodeSpec): readonly (Omit<DocumentFault, 'pointer'> & { readonly field?: string })[];
}

export interface ExpressionField {
  readonly pointer: string;
  readonly expect?: 'bool' | 'string' | 'number' | 'list' | 'dyn';
  /**
   * Of the data plane: the expression is one of records, and may read these variables and no others, such as `value` and
   * `key`. It is not filled in but goes into the plan as it is written.
   */
  readonly records?: readonly string[];
}

export interface NodeExample {
  readonly document: Json;
  /** Workflows that it starts. */
  readonly others?: readonly Json[];
  readonly input: Json;
  /** What happens while it runs, in this order. */
  readonly meanwhile?: readonly (
    | { readonly signal: string; readonly payload: Json }
    | { readonly approve: 'approved' | 'rejected'; readonly value: Json }
  )[];
  readonly output: Json;
}

/**
 * - `inline`: pure and synchronous, run within the step; what it throws is a failed attempt.
 * - `task`: takes time, runs beside the loop, may run more than once; it gets a key that is equal for all attempts.
 * - `delay`, `signal`, `approval`: wait, without a slot or a lease.
 * - `switch`: inline, chooses which of its ports are taken.
 * - `container`: its children run as a graph of their own, once (`try`), again and again (`loop`), or for each item (`map`).
 *   What a run of the children gives is the value at `out` of the one that has no outgoing edge, or an object of those by
 *   node id where there are several; of a `try` that of the body, or of `catch` where the body failed.
 * - `child`: another workflow, as an execution of its own.
 * - `operator`: part of a segment of the data plane; see `segments/segments.ts`.
 * - `inner`: what the compiler makes of a node that a segment holds beside the one that stands for it.
 *
 * What the lifecycle reads of the configuration of the types it acts on itself is told in `nodes/configs.ts`.
 */
export type Behaviour =
  | { readonly kind: 'inline'; run(config: Json, inputs: Inputs, context: InlineContext): Outputs }
  | { readonly kind: 'task'; run(config: Json, inputs: Inputs, context: TaskContext): Promise<Outputs> }
  | { readonly kind: 'delay' | 'signal' | 'approval' | 'switch' | 'child' }
  | { readonly kind: 'inner'; readonly starts?: boolean }
  | { readonly kind: 'container'; readonly how: 'loop' | 'map' | 'try' }
  | {
      readonly kind: 'operator';
      /** It starts an execution for each record: those that are open are told what its own is told. */
      readonly starts?: boolean;
      /** Adds what it does to the program, by the DSL; what arrives and what leaves stands by port. */
      build?(parts: SegmentParts): { readonly [port: string]: Flow };
    };

/** By port. */
export type Inputs = { readonly [port: string]: Json };
export type Outputs = { readonly [port: string]: Json };

export interface InlineContext {
  /** The wall time of the step, and chance from the ids of execution, node, iteration and attempt: equal in each replay. */
  readonly at: Millis;
  random(): number;
  readonly execution: string;
  readonly node: string;
  readonly iteration: string;
  readonly attempt: number;
}

export interface TaskContext extends InlineContext {
  /** Equal for all attempts of a node in an iteration: for calls that must count once. */
  readonly idempotencyKey: string;
  /** Aborted on cancel, timeout and when the attempt is no longer wanted. */
  readonly signal: AbortSignal;
  /** What an earlier attempt left by `checkpoint`, the last one, or undefined. */
  readonly resume: { readonly number: number; readonly value: Json } | undefined;
  /** Keeps a value for the next attempt. Throws `workflow.stale` when the attempt has been given up. */
  checkpoint(number: number, value: Json): Promise<void>;
  progress(value: Json): void;
}

export interface Catalog {
  /** By name with or without `@version`; without: the newest. */
  find(type: string): NodeType | undefined;
  readonly types: readonly NodeType[];
}
