import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Json } from '../core/ids.ts';
import type { EdgeSpec, WorkflowDocument } from './document.ts';

/** The fields of nodes and edges that say what runs; all others belong to editors. */
const NODE_FIELDS = ['id', 'type', 'parentId', 'data'] as const;
const EDGE_FIELDS = ['id', 'source', 'sourceHandle', 'target', 'targetHandle', 'data'] as const;

/**
 * A document as one text that is equal for all documents that say the same: keys in order, no white space, nothing that
 * only editors read (`ui`, positions, sizes, colours), and no field that is null where it may be left out.
 */
export function canonicalText(document: WorkflowDocument): string {
  const { ui: _ui, ...rest } = document;
  const nodes = document.nodes.map((node) => only(node, NODE_FIELDS));
  const edges = document.edges.map(plainEdge);
  return canonicalJson({ ...rest, nodes, edges } as unknown as Json);
}

/** SHA-256 of the canonical text, in hex. */
export function documentHash(document: WorkflowDocument): string {
  return createHash('sha256').update(canonicalText(document)).digest('hex');
}

/** Without what may be left out: the usual ports, the usual kind, and an id that is made of the ends. */
function plainEdge(edge: EdgeSpec): Partial<EdgeSpec> {
  const { id, sourceHandle, targetHandle, data, ...rest } = only(edge, EDGE_FIELDS) as EdgeSpec;
  const { kind, ...more } = data ?? {};
  const whole = {
    ...rest,
    ...(sourceHandle === undefined || sourceHandle === 'out' ? {} : { sourceHandle }),
    ...(targetHandle === undefined || targetHandle === 'in' ? {} : { targetHandle }),
    ...(id === undefined || id === usualId(edge) ? {} : { id }),
  };
  const kept = kind === undefined || kind === 'data' ? more : { kind, ...more };
  return Object.keys(kept).length === 0 ? whole : { ...whole, data: kept };
}

/** The id that an edge has by its ends, where its ports are written out or the usual ones. */
export function usualId({ source, sourceHandle, target, targetHandle }: EdgeSpec): string {
  return `${source}.${sourceHandle ?? 'out'}>${target}.${targetHandle ?? 'in'}`;
}

function only<T extends object>(value: T, fields: readonly (keyof T)[]): Partial<T> {
  const kept: Partial<T> = {};
  for (const field of fields) if (value[field] !== undefined && value[field] !== null) kept[field] = value[field];
  return kept;
}
