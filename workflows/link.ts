import { FlowError } from '../core/errors.ts';
import type { ExprType } from '../expressions/expressions.ts';
import { arrivals, emitted } from './arrivals.ts';
import type { Catalog, NodeType } from './catalog.ts';
import { howOf, type Role, roleOf } from './container-parts.ts';
import type { EdgeSpec, NodeSpec, PolicySpec, WorkflowDocument } from './document.ts';
import { mergedPolicy } from './policy.ts';
import { type Expressions, type ExprScope, inputType, scopeOf } from './scopes.ts';
import { sessionType } from './session-declaration.ts';
import { type EdgeEnds, edgeId, endsOf, type NodePorts, portsOf } from './wiring.ts';

/** A document with its names looked up: nodes know their types, ports, edges and children. */
export interface Linked {
  readonly document: WorkflowDocument;
  readonly nodes: readonly LinkedNode[];
  readonly edges: readonly LinkedEdge[];
  find(id: string): LinkedNode | undefined;
  /** What expressions of a node may read. */
  scope(node: LinkedNode): ExprScope;
}

export interface LinkedNode {
  readonly index: number;
  readonly node: NodeSpec;
  readonly type: NodeType;
  readonly ports: NodePorts;
  readonly policy: PolicySpec;
  readonly role: Role;
  readonly incoming: readonly LinkedEdge[];
  readonly outgoing: readonly LinkedEdge[];
  readonly children: readonly LinkedNode[];
  /** The containers it lies in, the innermost first. */
  readonly containers: readonly LinkedNode[];
}

export interface LinkedEdge {
  readonly index: number;
  readonly edge: EdgeSpec;
  readonly id: string;
  readonly ends: EdgeEnds;
  readonly sourcePorts: NodePorts;
  /** The type of what leaves at its source. */
  readonly emits: ExprType;
}

export interface LinkSettings {
  readonly catalog: Catalog;
  readonly expressions: Expressions;
}

interface Building extends LinkedNode {
  readonly incoming: LinkedEdge[];
  readonly outgoing: LinkedEdge[];
  readonly children: LinkedNode[];
  readonly containers: LinkedNode[];
}

/** Fails on names that are not there: `validate.ts` tells them all. */
export function linkDocument(document: WorkflowDocument, { catalog, expressions }: LinkSettings): Linked {
  const { typeOf } = expressions;
  const specs = new Map(document.nodes.map((node) => [node.id, node]));
  const byId = new Map<string, Building>();
  for (const [index, node] of document.nodes.entries()) {
    const type = catalog.find(node.type);
    const parent = node.parentId === undefined ? undefined : specs.get(node.parentId);
    if (type === undefined) throw new FlowError('workflow.invalid', `node ${node.id}: there is no type ${node.type}`);
    byId.set(node.id, {
      index,
      node,
      type,
      ports: portsOf(type, node),
      policy: mergedPolicy(type.policy, document.policy, node.data?.policy),
      role: roleOf(node.id, parent?.data?.config),
      incoming: [],
      outgoing: [],
      children: [],
      containers: [],
    });
  }
  const find = (id: string): Building => {
    const found = byId.get(id);
    if (found === undefined) throw new FlowError('workflow.invalid', `there is no node ${id}`);
    return found;
  };
  const edges = document.edges.map((edge, index): LinkedEdge => {
    const [source, target] = [find(edge.source), find(edge.target)];
    const ends = endsOf(edge, source.ports, target.ports);
    const emits = emitted(ends, source.ports, typeOf);
    const linked = { index, edge, id: edgeId(edge, ends), ends, sourcePorts: source.ports, emits };
    source.outgoing.push(linked);
    target.incoming.push(linked);
    return linked;
  });
  for (const node of byId.values()) {
    for (let up = node.node.parentId; up !== undefined; up = find(up).node.parentId) {
      if (node.containers.length === byId.size)
        throw new FlowError('workflow.invalid', `${node.node.id} lies in itself`);
      node.containers.push(find(up));
    }
    const [container] = node.containers;
    if (container !== undefined) find(container.node.id).children.push(node);
  }
  const scope = (node: LinkedNode) => scopeOf(surroundings(node, document, expressions), typeOf);
  return { document, nodes: [...byId.values()], edges, find: (id) => byId.get(id), scope };
}

function surroundings(node: LinkedNode, document: WorkflowDocument, { typeOf }: Expressions) {
  const containers = node.containers.map(({ type }) => howOf(type)).filter((how) => how !== undefined);
  const own = howOf(node.type);
  const start = node.containers.length === 0 ? inputType(document.inputs, typeOf) : 'dyn';
  return {
    input: document.inputs,
    arrives: arrivals(node.incoming, node.ports, node.policy.join ?? 'all', start, typeOf),
    // the condition of a loop reads what its iterations gave
    containers: own === 'loop' ? [...containers, own] : containers,
    error:
      node.incoming.some(({ ends }) => ends.kind === 'error') ||
      [node, ...node.containers].some(({ role }) => role === 'catch'),
    session: sessionType(document.session, node.node.data?.session, typeOf),
  };
}
