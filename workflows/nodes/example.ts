import type { Json } from '../../core/ids.ts';
import type { EdgeSpec, NodeSpec, WorkflowDocument } from '../document.ts';

/** A small document around the nodes of an example. */
export function exampleDocument(
  nodes: readonly NodeSpec[],
  edges: readonly EdgeSpec[] = [],
  more: Partial<WorkflowDocument> = {},
): Json {
  const document: WorkflowDocument = {
    apiVersion: 'nodeflow/v1',
    id: 'example',
    name: 'Example',
    version: '1.0.0',
    nodes,
    edges,
    ...more,
  };
  return document as unknown as Json;
}

/** An object of a fixed set of fields, as JSON Schema. */
export function fields(properties: { readonly [name: string]: Json }, required: readonly string[] = []): Json {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** JSON with expressions in it: anything. */
export const TEMPLATE: Json = { description: 'JSON; a string that begins with = is an expression' };

/** A text, or an expression behind `=`. */
export const TEXT: Json = { type: 'string', minLength: 1 };

/** A span of time, or an expression behind `=` for one. */
export const SPAN: Json = {
  type: 'string',
  description: 'a span of time such as 30s or PT1H, or an expression for one behind =',
  pattern: '^(=.*|\\d{1,15}(ms|s|m|h|d)|P(?=[\\dT]).*)$',
};

export const VALUE_IN = { in: { kind: 'value', optional: true } } as const;
export const VALUE_OUT = { out: { kind: 'value' } } as const;
