import type { Json } from '../core/ids.ts';

/**
 * Expressions of users: a profile of CEL (the Common Expression Language), typed, without side effects, bounded in what
 * it may cost, compiled to JavaScript by a closed grammar.
 *
 *     order.total > 100 && order.customer.tier in ['gold', 'silver']
 *
 * - A source text is parsed, checked against the types of its scope, and compiled; what is wrong is told with its place
 *   and a cure, all faults at once. Text of a user never becomes part of the generated code: it reaches it as literals
 *   that are encoded, and as numbers of slots. What was generated is parsed again and held against the closed grammar
 *   before it may run.
 * - {@link Expression.evaluate} is the compiled form, {@link Expression.interpret} walks the tree: slow, obvious, and
 *   the oracle that the compiled form is tested against.
 * - The same inputs give the same result, always: there is no clock, no chance, no locale. `now` is a variable where a
 *   scope has one.
 * - Numbers are doubles; integer literals adapt to them. A `long` beyond 2^53 is an error, not a wrong number.
 * - A field that is absent is an error that names it, unless it is asked for by `has(a.b)` or read by `a.?b`, which
 *   answers null; null travels on only through `?.`.
 * - Bounds, each a fault with its own code: 4 KiB of source, 500 nodes, depth 32, lists of 256, macros (`all`, `exists`,
 *   `exists_one`, `map`, `filter`) two deep, texts of 64 KiB, and fuel of 100,000 steps for each evaluation.
 * - Regular expressions take time linear in their text (RE2's syntax), and patterns are literals.
 * - The names `__proto__`, `prototype` and `constructor` are refused as fields; only own properties are read.
 */
export interface Expression<T = unknown> {
  readonly source: string;
  readonly type: ExprType;
  /** The paths into the scope that it reads, such as `order.total`: what a caller has to provide. */
  readonly reads: readonly string[];
  /** Throws `FlowError('expression.failed')` naming the place: an absent field, an overflow, fuel spent. */
  evaluate(scope: Scope): T;
  /** The same by walking the tree. */
  interpret(scope: Scope): T;
}

/** Variables by name. Values are plain JSON, or views that read like it. */
export type Scope = Readonly<Record<string, unknown>>;

/** `dyn` is any JSON value, checked when it is used; so is what may be null. Fields that are `optional` may be absent. */
export type ExprType =
  | 'bool'
  | 'number'
  | 'string'
  | 'null'
  | 'dyn'
  | { readonly list: ExprType }
  | { readonly map: ExprType }
  | { readonly nullable: ExprType }
  | { readonly fields: { readonly [name: string]: ExprType }; readonly optional?: readonly string[] };

export interface CompileOptions {
  /** The variables and their types. */
  readonly scope: { readonly [name: string]: ExprType };
  /** What it has to answer; `dyn` results are then checked when they are there. Default: anything. */
  readonly expect?: ExprType;
}

export interface ExpressionFault {
  /** Stable, such as `expression.unknown-name`, `expression.type`, `expression.syntax`, `expression.too-deep`. */
  readonly code: string;
  readonly message: string;
  readonly cure: string;
  /** Counted in UTF-16 units from 0; line and column from 1. */
  readonly at: { readonly offset: number; readonly line: number; readonly column: number };
}

export type Compiled<T> =
  | { readonly expression: Expression<T>; readonly faults?: undefined }
  | { readonly faults: readonly ExpressionFault[]; readonly expression?: undefined };

/** The types of a JSON Schema or of an Avro schema, as far as they go; what they leave open is `dyn`. */
export type TypeOfSchema = (schema: Json) => ExprType;

export { typeOfAvroSchema } from './avro-types.ts';
export { compileExpression } from './compile.ts';
export { isSchema, typeOfJsonSchema } from './json-schema-types.ts';
export { FORBIDDEN } from './limits.ts';
export { orNull, printType } from './types.ts';
