import type { Json } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { isSchema } from '../expressions/expressions.ts';
import { roleOf } from './container-parts.ts';
import type { Ports } from './document.ts';
import { quoted } from './faults.ts';
import type { Judged, JudgedEdge, JudgedNode } from './judged.ts';
import { kindFault } from './port-kinds.ts';
import { listed } from './schema-words.ts';
import { edgeId } from './wiring.ts';

/** Edges have ends that are there, on one level, at ports that fit. */
export function judgeEdges(judged: Judged): void {
  const { edges, faults } = judged;
  const ids = new Set<string>();
  const ways = new Set<string>();
  for (const one of edges) {
    const { index, edge, ends, source, target } = one;
    const path = ['edges', index];
    if (edge.id !== undefined && ids.has(edge.id)) {
      faults.add(
        'workflow.duplicate-id',
        [...path, 'id'],
        `two edges have the id ${quoted(edge.id)}`,
        'Give one another id.',
      );
    }
    if (edge.id !== undefined) ids.add(edge.id);
    for (const [name, node] of [
      ['source', source],
      ['target', target],
    ] as const) {
      if (node === undefined) unknownEnd(one, name, judged);
    }
    if (source !== undefined && target !== undefined) judgeLevel(one, source, target, judged);
    if (ends === undefined) continue;
    const way = edgeId({ source: edge.source, target: edge.target }, ends);
    if (ways.has(way)) {
      const message = `two edges lead from ${edge.source} to ${edge.target} by the same ports`;
      faults.add('workflow.duplicate-edge', path, message, 'Remove one; conditions are joined by ||.');
    }
    ways.add(way);
    judgePorts(one, source!, target!, judged);
  }
}

function unknownEnd({ index, edge }: JudgedEdge, name: 'source' | 'target', { faults, nodes }: Judged): void {
  if (faults.full) return;
  const id = edge[name];
  const [near] =
    nodes.length > 1000
      ? []
      : nearest(
          id,
          nodes.map(({ node }) => node.id),
        );
  const words = name === 'source' ? `an edge comes from ${quoted(id)}` : `an edge leads to ${quoted(id)}`;
  const cure = near === undefined ? 'Add the node, or remove the edge.' : `Did you mean ${near}?`;
  faults.add('workflow.unknown-node', ['edges', index, name], `${words}, which is not there`, cure);
}

function judgeLevel(
  { index, edge }: JudgedEdge,
  source: JudgedNode,
  target: JudgedNode,
  { faults, find }: Judged,
): void {
  const message = `the edge from ${edge.source} to ${edge.target}`;
  const path = ['edges', index];
  if (source.node.parentId !== target.node.parentId) {
    faults.add(
      'workflow.edge-crosses',
      path,
      `${message} leads into a container or out of it`,
      'Connect the containers; nodes within read what arrived there.',
    );
    return;
  }
  const config = source.node.parentId === undefined ? undefined : find(source.node.parentId)?.node.data?.config;
  if (roleOf(source.node.id, config) !== roleOf(target.node.id, config)) {
    faults.add(
      'workflow.edge-crosses',
      path,
      `${message} leads from one part of a try to another`,
      'Remove it: the parts follow each other by themselves.',
    );
  }
}

function judgePorts(one: JudgedEdge, source: JudgedNode, target: JudgedNode, { faults }: Judged): void {
  const { index, ends, edge } = one;
  const { kind, sourcePort, targetPort } = ends!;
  const from = sourcePort === '' ? undefined : portAt(one, source, 'sourceHandle', sourcePort, faults);
  if (kind === 'control') {
    if (edge.targetHandle !== undefined && edge.targetHandle !== null) {
      const message = `the edge from ${edge.source} to ${edge.target} is of kind control, which carries nothing to a port`;
      faults.add('workflow.unknown-port', ['edges', index, 'targetHandle'], message, 'Leave targetHandle out.');
    }
    return;
  }
  const to = portAt(one, target, 'targetHandle', targetPort, faults);
  if (from === undefined || to === undefined) return;
  const place = `${edge.source}.${sourcePort} (${from.kind}) leads to ${edge.target}.${targetPort} (${to.kind})`;
  const cure = kindFault(from.kind, to.kind);
  if (cure !== undefined) faults.add('workflow.port-kind', ['edges', index], place, cure);
  if ((kind === 'error') !== (from.kind === 'error')) {
    const message = `the edge from ${edge.source}.${sourcePort} is of kind ${kind}, the port of kind ${from.kind}`;
    faults.add('workflow.port-kind', ['edges', index, 'data', 'kind'], message, 'Leave the kind of the edge out.');
  }
  if (
    edge.data?.map !== undefined ||
    (target.policy.join !== undefined && target.policy.join !== 'all') ||
    leading(target, targetPort) > 1
  )
    return;
  const [gives, takes] = [typesOf(from.schema), typesOf(to.schema)];
  if (gives === undefined || takes === undefined || gives.some((type) => accepts(takes, type))) return;
  const message = `${edge.source}.${sourcePort} gives ${gives.join(' or ')}, ${edge.target}.${targetPort} takes ${takes.join(' or ')}`;
  faults.add(
    'workflow.port-type',
    ['edges', index],
    message,
    'Give the edge a map, or put a node between that makes one of the other.',
  );
}

function leading(node: JudgedNode, port: string | undefined): number {
  // two are as good as many
  let found = 0;
  for (const { ends } of node.incoming) if (ends?.targetPort === port && ends?.kind !== 'control' && ++found > 1) break;
  return found;
}

function portAt(
  { index, edge }: JudgedEdge,
  node: JudgedNode,
  handle: 'sourceHandle' | 'targetHandle',
  name: string | undefined,
  faults: Judged['faults'],
): Ports[string] | undefined {
  const ports = handle === 'sourceHandle' ? node.ports!.outputs : node.ports!.inputs;
  if (name !== undefined && Object.hasOwn(ports, name)) return ports[name];
  const names = Object.keys(ports);
  const [words, way] = handle === 'sourceHandle' ? ['output', 'from'] : ['input', 'to'];
  const place = ['edges', index, handle];
  if (name === undefined) {
    const cure =
      names.length === 0 ? 'Remove the edge, or make it one of kind control.' : `Name one of ${listed(names)}.`;
    faults.add(
      'workflow.unknown-port',
      place,
      `the edge from ${edge.source} to ${edge.target} has to say ${way} which port of ${node.node.id} it leads`,
      cure,
    );
    return undefined;
  }
  const [near] = nearest(name, names);
  const cure = near === undefined ? `It has ${listed(names)}.` : `Did you mean ${near}?`;
  faults.add('workflow.unknown-port', place, `${node.node.id} has no ${words} ${quoted(name)}`, cure);
  return undefined;
}

/** The types that a JSON Schema names; undefined where it leaves them open. */
function typesOf(schema: Json | undefined): readonly string[] | undefined {
  const type = isSchema(schema) ? schema['type'] : undefined;
  if (type === undefined) return undefined;
  const types = [type].flat().filter((one): one is string => typeof one === 'string');
  return types.length === 0 ? undefined : types;
}

function accepts(takes: readonly string[], type: string): boolean {
  return (
    takes.includes(type) ||
    (type === 'integer' && takes.includes('number')) ||
    (type === 'number' && takes.includes('integer'))
  );
}
