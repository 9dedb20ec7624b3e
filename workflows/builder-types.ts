import type { Json } from '../core/ids.ts';
import type { EdgeSpec, JoinSpec, NodeSessionSpec, PolicySpec } from './document.ts';

/** Types of the builder: what is known of a workflow while it is written. */

declare const VALUE: unique symbol;
declare const SURE: unique symbol;

/** What a failure is to those who handle it. */
export interface Failure {
  readonly class: 'TRANSIENT' | 'PERMANENT' | 'SYSTEM' | 'USER';
  readonly code: string;
  readonly message: string;
  readonly node: string;
}

/**
 * What leaves a node at one of its ports: a `T`. `Sure` is false where it may be skipped: behind a switch, an approval, a
 * condition, an error.
 */
export interface Output<T, Id extends string = string, Sure extends boolean = boolean> {
  readonly [VALUE]?: T;
  readonly [SURE]?: Sure;
  readonly node: Id;
  readonly port: string;
  /** The edge is taken only where this holds, over `value` and `input`. */
  when(condition: string): Output<T, Id, false>;
  /** What arrives is made of it: JSON with expressions over `value` and `input`. */
  map<U>(fields: { readonly [name in keyof U]: Json }): Output<U, Id, Sure>;
  /** What makes the edge more than its ends; of no use to others. */
  readonly data: EdgeSpec['data'];
}

/** Several outputs that lead to one input. */
export interface Joined<T, Sure extends boolean = boolean> {
  readonly [VALUE]?: T;
  readonly [SURE]?: Sure;
  readonly sources: readonly Output<unknown>[];
  readonly join: JoinSpec;
}

export type Source<T> = Output<T> | Joined<T>;

/** Stands for the type of what arrives at `in`. */
export interface Passed {
  readonly [VALUE]: 'passed';
}

/** A node before it has a name and edges. `Branches`: it does not take all of its ports. */
export interface Step<Ins, Outs, Branches extends boolean = false> {
  readonly [VALUE]?: { readonly ins: (ins: Ins) => void; readonly outs: Outs; readonly branches: Branches };
  readonly type: string;
  readonly config: { readonly [name: string]: Json };
}

type Needed<Ins> = { [P in keyof Ins]-?: unknown extends Ins[P] ? never : P }[keyof Ins];

/** Which output leads to which input; those that take anything may be left out. */
export type Wiring<Ins> = { readonly [P in Needed<Ins>]: Source<Ins[P]> } & {
  readonly [P in Exclude<keyof Ins, Needed<Ins>>]?: Source<unknown>;
};

/** No other inputs than there are. */
type Exact<Ins, W> = W & { readonly [P in Exclude<keyof W, keyof Ins>]: never };

/** The wiring may be left out as a whole where nothing is needed. */
export type Rest<Ins, W> = [Needed<Ins>] extends [never]
  ? [wiring?: Exact<Ins, W>, options?: NodeOptions]
  : [wiring: Exact<Ins, W>, options?: NodeOptions];

type TypeOf<S> = S extends { readonly [VALUE]?: infer T } ? T : unknown;
type IsSure<S> = S extends { readonly [SURE]?: infer Sure } ? ([Sure] extends [false] ? false : true) : true;
type AllSure<W> = false extends { [P in keyof W]: IsSure<W[P]> }[keyof W] ? false : true;
type Arrived<W> = W extends { readonly in: infer S } ? TypeOf<S> : unknown;

/** What a node gives: an output by port, and its failure. */
export type Handle<Id extends string, Outs, W, Branches extends boolean = false> = {
  readonly [P in keyof Outs]: Output<
    Outs[P] extends Passed ? Arrived<W> : Outs[P],
    Id,
    Branches extends true ? false : AllSure<W>
  >;
} & { readonly error: Output<Failure, Id, false> };

export interface NodeOptions {
  readonly label?: string;
  /** Where an editor shows it; React Flow wants one of every node. */
  readonly position?: { readonly x: number; readonly y: number };
  readonly policy?: PolicySpec;
  /** Runs after these, and takes nothing of them. */
  readonly after?: readonly Output<unknown>[];
  /** What undoes it when the execution fails later; made by `compensation`. */
  readonly undo?: Undo;
  readonly disabled?: boolean;
  /** What it reads and writes of the session. */
  readonly session?: NodeSessionSpec;
}

export interface Undo {
  readonly compensates: string;
}

/** By node id; those that may be skipped may be missing. */
export type ById<Sources extends readonly Output<unknown>[]> = {
  readonly [S in Sources[number] as IsSure<S> extends true ? S['node'] : never]: TypeOf<S>;
} & { readonly [S in Sources[number] as IsSure<S> extends true ? never : S['node']]?: TypeOf<S> };

export type AnyOf<Sources extends readonly Output<unknown>[]> = TypeOf<Sources[number]>;
export type SureOf<Sources extends readonly Output<unknown>[]> = true extends {
  [P in keyof Sources]: IsSure<Sources[P]>;
}[number]
  ? true
  : false;

/** What a document takes, by name. */
export interface InputPort<T> {
  readonly [VALUE]?: T;
  readonly schema?: Json;
  readonly optional?: boolean;
  readonly default?: Json;
}

export type InputOf<Inputs> = { readonly [P in keyof Inputs]: Inputs[P] extends InputPort<infer T> ? T : never };
