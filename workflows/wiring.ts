import type { NodeType } from './catalog.ts';
import type { EdgeSpec, NodeSpec, Ports } from './document.ts';

/** Input and output ports of a node: those of its type, with what the node says of its own. */
export interface NodePorts {
  readonly inputs: Ports;
  readonly outputs: Ports;
}

export const ERROR_PORT = 'error';

/** Every node can fail: what leaves here is its failure. */
const ERRORS: Ports = { [ERROR_PORT]: { kind: 'error', optional: true } };

export function portsOf(type: NodeType, node: NodeSpec): NodePorts {
  const { inputs, outputs } = type.portsOf?.(node) ?? type;
  return {
    inputs: { ...inputs, ...node.data?.inputs },
    outputs: { ...ERRORS, ...outputs, ...node.data?.outputs },
  };
}

export interface EdgeEnds {
  readonly kind: 'data' | 'control' | 'error';
  /** `''` where the edge names none and needs none; `undefined` where it has to name one. */
  readonly sourcePort: string | undefined;
  readonly targetPort: string | undefined;
}

/** Which ports an edge connects, defaults filled in. */
export function endsOf(edge: EdgeSpec, source: NodePorts, target: NodePorts): EdgeEnds {
  const named = edge.sourceHandle ?? undefined;
  const kind = edge.data?.kind ?? (named === ERROR_PORT ? 'error' : 'data');
  if (kind === 'control') return { kind, sourcePort: named ?? '', targetPort: '' };
  return {
    kind,
    sourcePort: named ?? (kind === 'error' ? ERROR_PORT : only(source.outputs, 'out')),
    targetPort: edge.targetHandle ?? only(target.inputs, 'in'),
  };
}

/** The id of an edge, or what stands for it where it has none. */
export function edgeId(edge: EdgeSpec, ends: EdgeEnds): string {
  if (edge.id !== undefined) return edge.id;
  const place = (node: string, port: string | undefined) => (port ? `${node}.${port}` : node);
  return `${place(edge.source, ends.sourcePort)}>${place(edge.target, ends.targetPort)}`;
}

/** A port by its usual name, or the only one there is. */
function only(ports: Ports, usual: string): string | undefined {
  if (Object.hasOwn(ports, usual)) return usual;
  const names = Object.keys(ports).filter((name) => ports[name]!.kind !== 'error');
  return names.length === 1 ? names[0] : undefined;
}
