import type { Json } from '../../core/ids.ts';
import { compileDocument } from '../compile.ts';
import { createCatalog } from '../create-catalog.ts';
import type { EdgeSpec, NodeSpec, WorkflowDocument } from '../document.ts';
import { EXPRESSIONS } from '../expressions.ts';
import type { Graph } from '../graph.ts';
import { builtInTypes } from '../nodes/built-in.ts';
import { DATA_PLANE_TYPES } from '../nodes/data-plane-types.ts';

export const settings = {
  catalog: createCatalog([...builtInTypes(), ...DATA_PLANE_TYPES]),
  expressions: EXPRESSIONS,
};

export function graphOf(document: Json | WorkflowDocument): Graph {
  const graph = compileDocument(document as unknown as WorkflowDocument, settings);
  return graph.records?.graph ?? graph;
}

/** `[id, type, config]`, and edges as `a > b` or `a > b.port`. */
export function documentOf(
  nodes: readonly (readonly [id: string, type: string, config?: Readonly<Record<string, Json>>])[],
  edges: readonly string[],
): WorkflowDocument {
  return {
    apiVersion: 'nodeflow/v1',
    id: 'job',
    name: 'Job',
    version: '1.0.0',
    nodes: nodes.map(([id, type, config = {}]): NodeSpec => ({ id, type, data: { config } })),
    edges: edges.map((text): EdgeSpec => {
      const [source = '', behind = ''] = text.split(' > ');
      const [target = '', targetHandle] = behind.split('.');
      return { source, target, ...(targetHandle === undefined ? {} : { targetHandle }) };
    }),
  };
}
