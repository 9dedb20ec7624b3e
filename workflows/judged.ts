import type { Catalog, NodeType } from './catalog.ts';
import type { EdgeSpec, NodeSpec, PolicySpec } from './document.ts';
import type { FaultList } from './faults.ts';
import type { Sound } from './judge-schema.ts';
import { mergedPolicy } from './policy.ts';
import type { Expressions } from './scopes.ts';
import { type EdgeEnds, endsOf, type NodePorts, portsOf } from './wiring.ts';

/** What the rules look at: the sound part of a document, with the names in it looked up as far as they are there. */
export interface Judged {
  readonly sound: Sound;
  readonly catalog: Catalog;
  readonly expressions: Expressions;
  readonly faults: FaultList;
  readonly nodes: readonly JudgedNode[];
  readonly edges: readonly JudgedEdge[];
  /** The first node of an id. */
  find(id: string): JudgedNode | undefined;
}

export interface JudgedNode {
  readonly index: number;
  readonly node: NodeSpec;
  readonly type: NodeType | undefined;
  /** Undefined where the type is not known. */
  readonly ports: NodePorts | undefined;
  readonly policy: PolicySpec;
  readonly incoming: readonly JudgedEdge[];
  readonly outgoing: readonly JudgedEdge[];
  readonly children: readonly JudgedNode[];
}

export interface JudgedEdge {
  readonly index: number;
  readonly edge: EdgeSpec;
  readonly source: JudgedNode | undefined;
  readonly target: JudgedNode | undefined;
  /** Undefined where one of both nodes, or its type, is not known. */
  readonly ends: EdgeEnds | undefined;
}

interface Growing extends JudgedNode {
  readonly incoming: JudgedEdge[];
  readonly outgoing: JudgedEdge[];
  readonly children: JudgedNode[];
}

export function lookUp(sound: Sound, catalog: Catalog, expressions: Expressions, faults: FaultList): Judged {
  const byId = new Map<string, Growing>();
  const nodes = sound.nodes.map(({ index, node }): Growing => {
    const type = catalog.find(node.type);
    const ports = type === undefined ? undefined : safePorts(type, node, index, faults);
    const policy = mergedPolicy(type?.policy, sound.document.policy, node.data?.policy);
    const judged: Growing = { index, node, type, ports, policy, incoming: [], outgoing: [], children: [] };
    if (!byId.has(node.id)) byId.set(node.id, judged);
    return judged;
  });
  const edges = sound.edges.map(({ index, edge }): JudgedEdge => {
    const [source, target] = [byId.get(edge.source), byId.get(edge.target)];
    const known = source?.ports !== undefined && target?.ports !== undefined;
    const ends = known ? endsOf(edge, source.ports!, target.ports!) : undefined;
    const judged = { index, edge, source, target, ends };
    source?.outgoing.push(judged);
    target?.incoming.push(judged);
    return judged;
  });
  for (const node of nodes) if (node.node.parentId !== undefined) byId.get(node.node.parentId)?.children.push(node);
  return { sound, catalog, expressions, faults, nodes, edges, find: (id) => byId.get(id) };
}

/** Ports may hang on the configuration: the code that tells them is the type's. */
function safePorts(type: NodeType, node: NodeSpec, index: number, faults: FaultList): NodePorts | undefined {
  try {
    return portsOf(type, node);
  } catch (thrown) {
    faults.add(
      'workflow.node-type',
      ['nodes', index],
      `${type.name} cannot tell the ports of ${node.id}: ${String(thrown)}`,
      'Correct the code of the type.',
    );
    return undefined;
  }
}
