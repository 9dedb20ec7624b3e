import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Json } from '../core/ids.ts';
import type { Graph } from './graph.ts';
import { portsOf } from './wiring.ts';

/** The first 128 bits of a SHA-256, in hex. */
const ID_CHARS = 32;

/**
 * Schemas that output ports of a graph declare, by themselves or by their types of nodes: a JSON Schema, or the name of
 * one. Each has an id, the hash of its canonical JSON; ports that declare equal ones share it.
 */
export interface PortSchemas {
  /** Null where the port declares none. */
  idOf(node: number, port: string): string | null;
  readonly byId: { readonly [id: string]: Json };
}

const known = new WeakMap<Graph, PortSchemas>();

/** Made when they are first asked for. */
export function portSchemas(graph: Graph): PortSchemas {
  const found = known.get(graph) ?? schemasOf(graph);
  known.set(graph, found);
  return found;
}

function schemasOf(graph: Graph): PortSchemas {
  const specs = new Map(graph.document.nodes.map((spec) => [spec.id, spec]));
  const byId: { [id: string]: Json } = {};
  // as the document has them: what stands for a segment has ports of its own, named by those of its inner nodes
  const nodes = (graph.records?.graph ?? graph).nodes.map(({ id, type }) => {
    const spec = specs.get(id);
    const ids = new Map<string, string>();
    for (const [port, { schema }] of Object.entries(spec === undefined ? {} : portsOf(type, spec).outputs)) {
      if (schema === undefined) continue;
      const hash = createHash('sha256').update(canonicalJson(schema)).digest('hex').slice(0, ID_CHARS);
      byId[hash] = schema;
      ids.set(port, hash);
    }
    return ids;
  });
  return {
    byId,
    idOf(node, port) {
      const own = nodes[node]?.get(port);
      const dot = port.lastIndexOf('.');
      if (own !== undefined || dot < 0) return own ?? null;
      const inner = graph.number(port.slice(0, dot));
      return (inner === undefined ? undefined : nodes[inner]?.get(port.slice(dot + 1))) ?? null;
    },
  };
}
