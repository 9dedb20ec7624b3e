import { type CompileOptions, type ExprType, isSchema, type TypeOfSchema } from '../expressions/expressions.ts';
import type { PortSpec, Ports } from './document.ts';
import type { ExpressionCompiler } from './template.ts';

/** The language of expressions, as far as documents need it. */
export interface Expressions {
  readonly compile: ExpressionCompiler;
  readonly typeOf: TypeOfSchema;
}

export type ExprScope = CompileOptions['scope'];

/** What the compiler knows of a node's surroundings. */
export interface Surroundings {
  /** Ports that the document takes. */
  readonly input: Ports | undefined;
  /** What arrives, by port; see {@link arrivals}. */
  readonly arrives: { readonly [port: string]: ExprType };
  /** How the containers that it lies in work, in any order. */
  readonly containers: readonly ('loop' | 'map' | 'try')[];
  /** It handles a failure. */
  readonly error: boolean;
  /** What it declares to read of the session. */
  readonly session: ExprType | undefined;
}

const FAILURE: ExprType = {
  fields: { class: 'string', code: 'string', message: 'string', node: 'string', detail: 'dyn' },
  optional: ['detail'],
};

/** The variables that expressions of a node may read, and their types; told at `Template` in `graph.ts`. */
export function scopeOf(around: Surroundings, typeOf: TypeOfSchema): ExprScope {
  return {
    input: inputType(around.input, typeOf),
    value: around.arrives['in'] ?? 'dyn',
    inputs: { fields: around.arrives, optional: Object.keys(around.arrives) },
    now: 'number',
    ...(around.containers.includes('map') ? { item: 'dyn', index: 'number' } : {}),
    ...(around.containers.includes('loop') ? { last: 'dyn', iteration: 'number' } : {}),
    ...(around.error ? { error: FAILURE } : {}),
    ...(around.session === undefined ? {} : { session: around.session }),
  };
}

export function edgeScope(input: Ports | undefined, value: ExprType, typeOf: TypeOfSchema): ExprScope {
  return { input: inputType(input, typeOf), value };
}

/** Of `outputs` of a document. */
export function outputScope(input: Ports | undefined, typeOf: TypeOfSchema): ExprScope {
  return { input: inputType(input, typeOf), nodes: 'dyn' };
}

/** Of a join by `when`: the outcomes of the nodes that lead there, by their ids, or as `nodes['a-1']` where that is no name. */
export function joinScope(sources: readonly string[]): ExprScope {
  const outcome: ExprType = {
    fields: { succeeded: 'bool', failed: 'bool', skipped: 'bool', cancelled: 'bool' },
  };
  return { nodes: { map: outcome }, ...Object.fromEntries(sources.map((id) => [id, outcome])) };
}

/** The type of what an execution is started with: an object of the ports, or anything. */
export function inputType(ports: Ports | undefined, typeOf: TypeOfSchema): ExprType {
  if (ports === undefined) return 'dyn';
  const names = Object.keys(ports);
  const optional = names.filter((name) => ports[name]!.optional === true && ports[name]!.default === undefined);
  return { fields: Object.fromEntries(names.map((name) => [name, portType(ports[name]!, typeOf)])), optional };
}

export function portType(port: PortSpec, typeOf: TypeOfSchema): ExprType {
  if (port.kind === 'error') return FAILURE;
  return isSchema(port.schema) ? typeOf(port.schema) : 'dyn';
}
