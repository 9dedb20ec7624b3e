import type { Json } from '../core/ids.ts';
import { type CompileSettings, compileDocument } from './compile.ts';
import type { DocumentFault, EdgeSpec, NodeSpec, WorkflowDocument } from './document.ts';
import { FaultList, quoted } from './faults.ts';
import type { Graph } from './graph.ts';
import type { PatchOp } from './lifecycle/lifecycle.ts';
import { linkDocument } from './link.ts';
import type { Segment } from './segments/segments.ts';
import { validateDocument } from './validate.ts';

/**
 * The next revision of a graph: its document with nodes and edges added, replaced and removed, or all that is wrong with
 * that. Numbers of what was there stay. Whether what is changed has not begun is judged by who knows the execution.
 *
 * An id that was removed is never used again, so that the history of an execution stays readable. A removed node takes its
 * edges with it. A graph with segments takes no patch but one that removes them: who runs a segment has its document as
 * it was published.
 */
export function patchGraph(
  graph: Graph,
  ops: readonly PatchOp[],
  settings: CompileSettings,
): Graph | readonly DocumentFault[] {
  const faults = new FaultList();
  const patch: Patch = {
    nodes: new Map(graph.document.nodes.map((node) => [node.id, node])),
    // by the ids that the graph gave them: its own edges are others where it has segments
    edges: new Map(linkDocument(graph.document, settings).edges.map(({ id, edge }) => [id, edge])),
    added: [],
    used: new Set(graph.nodes.filter(({ removed }) => removed).map(({ id }) => id)),
    faults,
  };
  for (const [index, op] of ops.entries()) apply(op, index, patch);
  if (!faults.empty) return faults.all();
  const document = {
    ...graph.document,
    nodes: [...patch.nodes.values()],
    edges: [...patch.edges.values(), ...patch.added],
  };
  const wrong = validateDocument(document, settings);
  if (wrong.length > 0) return wrong;
  const next = compileDocument(document as WorkflowDocument, settings, graph);
  return next.records === undefined ? next : [segmentFault(next, next.records.segments[0]!)];
}

function segmentFault({ nodes, document }: Graph, segment: Segment): DocumentFault {
  const { id } = nodes[segment.nodes[0]!]!;
  return {
    code: 'workflow.patch-invalid',
    pointer: `/nodes/${document.nodes.findIndex((node) => node.id === id)}`,
    message: `${id} is a node of the data plane, whose segments run as they were published: publish a new version instead`,
    cure: 'Publish the document as a new version, and start that.',
  };
}

interface Patch {
  readonly nodes: Map<string, NodeSpec>;
  readonly edges: Map<string, EdgeSpec>;
  readonly added: EdgeSpec[];
  readonly used: ReadonlySet<string>;
  readonly faults: FaultList;
}

function apply(op: PatchOp, index: number, { nodes, edges, added, used, faults }: Patch): void {
  const unknown = (id: string, what: string) =>
    faults.add('workflow.unknown-node', [index], `there is no ${what} ${quoted(id)}`, `Name a ${what} of the graph.`);
  switch (op.op) {
    case 'add-node':
    case 'replace-node': {
      const id = idOf(op.node);
      if (id === undefined) {
        faults.add('workflow.schema', [index, 'node'], 'a node is an object with an id', 'Give it as in a document.');
      } else if (op.op === 'replace-node' && !nodes.has(id)) unknown(id, 'node');
      else if (op.op === 'add-node' && (nodes.has(id) || used.has(id))) {
        const message = `there ${nodes.has(id) ? 'is' : 'was'} a node ${quoted(id)} already`;
        faults.add('workflow.duplicate-id', [index, 'node', 'id'], message, 'Give the node an id of its own.');
      } else nodes.set(id, op.node as unknown as NodeSpec);
      return;
    }
    case 'remove-node':
      if (!nodes.delete(op.id)) unknown(op.id, 'node');
      for (const [id, edge] of edges) if (edge.source === op.id || edge.target === op.id) edges.delete(id);
      return;
    case 'add-edge':
      added.push(op.edge as unknown as EdgeSpec);
      return;
    case 'remove-edge':
      if (!edges.delete(op.id)) unknown(op.id, 'edge');
  }
}

function idOf(node: Json): string | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined;
  const { id } = node as { readonly [name: string]: Json };
  return typeof id === 'string' ? id : undefined;
}
