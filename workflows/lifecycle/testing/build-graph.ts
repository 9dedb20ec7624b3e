import type { Json } from '../../../core/ids.ts';
import type { Expression } from '../../../expressions/expressions.ts';
import type { Behaviour, NodeType } from '../../catalog.ts';
import type { Graph, GraphEdge, GraphNode, Join, Retry, Template } from '../../graph.ts';
import type { PatchOp } from '../lifecycle.ts';

/** A graph for tests, from a few words: no document, no catalogue, no compiler. */
export interface GraphSpec {
  readonly nodes: readonly NodeSketch[];
  readonly edges: readonly EdgeSketch[];
  readonly outputs?: Graph['outputs'];
}

export type Kind =
  | 'inline'
  | 'task'
  | 'switch'
  | 'delay'
  | 'signal'
  | 'approval'
  | 'child'
  | 'map'
  | 'loop'
  | 'try'
  /** It stands for a segment, and puts out at a port for each node that gives a value, as inner ones are. */
  | 'operator'
  | 'inner';

export interface NodeSketch {
  readonly id: string;
  /** Default `inline`. */
  readonly kind?: Kind;
  readonly config?: Json | ((scope: Readonly<Record<string, unknown>>) => Json);
  readonly parent?: string;
  readonly role?: GraphNode['role'];
  readonly join?: Join;
  readonly retry?: Partial<Retry>;
  readonly timeouts?: Partial<GraphNode['timeouts']>;
  readonly onError?: GraphNode['onError'];
  readonly required?: boolean;
  readonly quarantine?: boolean;
  readonly disabled?: boolean;
  readonly compensation?: string;
  /** Of inner nodes. */
  readonly standIn?: string;
  readonly starts?: boolean;
}

export interface EdgeSketch {
  readonly from: string;
  readonly to: string;
  readonly port?: string;
  readonly toPort?: string;
  readonly kind?: GraphEdge['kind'];
  readonly when?: (scope: Readonly<Record<string, unknown>>) => boolean;
  readonly map?: (scope: Readonly<Record<string, unknown>>) => Json;
}

export const NO_RETRY: Retry = {
  maxAttempts: 1,
  backoff: 'exponential',
  initialMs: 1000,
  maxMs: 60_000,
  factor: 2,
  jitter: 'full',
  on: ['TRANSIENT', 'SYSTEM'],
};

export function buildGraph(spec: GraphSpec, revision = 0): Graph {
  const numbers = new Map(spec.nodes.map(({ id }, number) => [id, number]));
  const numberOf = (id: string): number => {
    const number = numbers.get(id);
    if (number === undefined) throw new Error(`no node ${id}`);
    return number;
  };
  const edges = spec.edges.map((edge, number) => edgeOf(edge, number, numberOf));
  const nodes = spec.nodes.map((sketch, number) => nodeOf(spec, sketch, number, edges, numberOf));
  const graph: Graph = {
    document: { apiVersion: 'nodeflow/v1', id: 'w', name: 'w', version: '1.0.0', nodes: [], edges: [] },
    hash: 'hash',
    revision,
    nodes,
    edges,
    outputs: spec.outputs ?? null,
    number: (id) => numbers.get(id),
  };
  SPECS.set(graph, spec);
  return graph;
}

/** What graphs were built of, for patches. */
const SPECS = new WeakMap<Graph, GraphSpec>();

function edgeOf(edge: EdgeSketch, number: number, numberOf: (id: string) => number): GraphEdge {
  const kind = edge.kind ?? 'data';
  return {
    number,
    id: `${edge.from}.${edge.port ?? 'out'}>${edge.to}`,
    source: numberOf(edge.from),
    sourcePort: kind === 'error' ? 'error' : kind === 'control' ? (edge.port ?? '') : (edge.port ?? 'out'),
    target: numberOf(edge.to),
    targetPort: kind === 'control' ? '' : (edge.toPort ?? 'in'),
    kind,
    when: edge.when === undefined ? null : expressionOf(edge.when),
    map: edge.map === undefined ? null : templateOf(edge.map),
    removed: false,
  };
}

function nodeOf(
  spec: GraphSpec,
  sketch: NodeSketch,
  number: number,
  edges: readonly GraphEdge[],
  numberOf: (id: string) => number,
): GraphNode {
  const children = spec.nodes.flatMap(({ parent, id }) => (parent === sketch.id ? [numberOf(id)] : []));
  const config = sketch.config ?? {};
  const kind = sketch.kind ?? 'inline';
  const type = kind === 'operator' ? operatorType(spec, sketch.id) : innerType(kind, sketch);
  return {
    number,
    id: sketch.id,
    type,
    config: typeof config === 'function' ? {} : config,
    template: typeof config === 'function' ? templateOf(config) : constantOf(config),
    outputs: outputsOf(type, sketch),
    parent: sketch.parent === undefined ? -1 : numberOf(sketch.parent),
    children,
    role: sketch.role ?? 'body',
    incoming: edges.filter(({ target }) => target === number).map((edge) => edge.number),
    outgoing: edges.filter(({ source }) => source === number).map((edge) => edge.number),
    join: sketch.join ?? { policy: 'all' },
    retry: { ...NO_RETRY, ...sketch.retry },
    timeouts: { queueMs: null, runMs: null, totalMs: null, ...sketch.timeouts },
    onError: sketch.onError ?? 'fail',
    required: sketch.required ?? true,
    quarantine: sketch.quarantine ?? true,
    priority: 5,
    pool: 'default',
    disabled: sketch.disabled ?? false,
    removed: false,
    standIn: sketch.standIn === undefined ? -1 : numberOf(sketch.standIn),
    compensation: sketch.compensation === undefined ? -1 : numberOf(sketch.compensation),
  };
}

const TYPES = new Map<Kind, NodeType>();

function typeOf(kind: Kind): NodeType {
  let type = TYPES.get(kind);
  if (type === undefined) {
    const port = { kind: 'value' } as const;
    const outputs = kind === 'approval' ? { approved: port, rejected: port } : { out: port };
    type = {
      ...{ name: kind, version: 1, title: kind, description: kind, inputs: { in: port }, outputs, config: {} },
      behaviour: behaviourOf(kind),
      example: { document: null, input: null, output: null },
    };
    TYPES.set(kind, type);
  }
  return type;
}

function operatorType({ nodes, edges }: GraphSpec, id: string): NodeType {
  const inner = new Set(nodes.filter(({ standIn }) => standIn === id).map((node) => node.id));
  const ports = edges.flatMap(({ from, to, port }) =>
    from === id && inner.has(to) && port !== undefined ? [port] : [],
  );
  return { ...typeOf('operator'), outputs: Object.fromEntries(ports.map((port) => [port, { kind: 'value' }])) };
}

function innerType(kind: Kind, { starts }: NodeSketch): NodeType {
  const type = typeOf(kind);
  return starts === undefined ? type : { ...type, behaviour: { kind: 'inner', starts } };
}

/** A switch has those that its cases name. */
function outputsOf(type: NodeType, { kind, config }: NodeSketch): readonly string[] {
  if (kind !== 'switch') return Object.keys(type.outputs);
  const { cases = [] } = (config ?? {}) as { readonly cases?: readonly { readonly port: string }[] };
  return [...new Set([...cases.map(({ port }) => port), 'else'])];
}

function behaviourOf(kind: Kind): Behaviour {
  if (kind === 'inline') return { kind, run: (_, inputs) => ({ out: inputs['in'] ?? null }) };
  if (kind === 'task') return { kind, run: async (_, inputs) => ({ out: inputs['in'] ?? null }) };
  if (kind === 'map' || kind === 'loop' || kind === 'try') return { kind: 'container', how: kind };
  return { kind };
}

export function expressionOf<T>(evaluate: (scope: Readonly<Record<string, unknown>>) => T): Expression<T> {
  return { source: 'test', type: 'dyn', reads: [], evaluate, interpret: evaluate };
}

function templateOf(fill: (scope: Readonly<Record<string, unknown>>) => Json): Template {
  return { constant: false, fill };
}

function constantOf(value: Json): Template {
  return { constant: true, fill: () => value };
}

export type OutcomeScope = Readonly<
  Record<
    string,
    { readonly succeeded: boolean; readonly failed: boolean; readonly skipped: boolean; readonly cancelled: boolean }
  >
>;

export function whenJoin(holds: (outcomes: OutcomeScope) => boolean): Join {
  return { policy: 'when', expression: expressionOf((scope) => holds(scope as OutcomeScope)) };
}

/** Sketches of nodes and edges as operations of a patch; removals keep their places. */
export function patchGraph(graph: Graph, ops: readonly PatchOp[]): Graph {
  const spec = SPECS.get(graph)!;
  const nodes = [...spec.nodes];
  const edges = [...spec.edges];
  const goneNodes = new Set(graph.nodes.filter(({ removed }) => removed).map(({ id }) => id));
  const goneEdges = new Set(graph.edges.filter(({ removed }) => removed).map(({ number }) => number));
  for (const op of ops) {
    if (op.op === 'add-node') nodes.push(op.node as unknown as NodeSketch);
    else if (op.op === 'add-edge') edges.push(op.edge as unknown as EdgeSketch);
    else if (op.op === 'remove-edge') goneEdges.add(graph.edges.find(({ id }) => id === op.id)!.number);
    else if (op.op === 'remove-node') {
      goneNodes.add(op.id);
      edges.forEach(({ from, to }, number) => {
        if (from === op.id || to === op.id) goneEdges.add(number);
      });
    } else {
      const sketch = op.node as unknown as NodeSketch;
      nodes[nodes.findIndex(({ id }) => id === sketch.id)] = sketch;
    }
  }
  const built = buildGraph({ ...spec, nodes, edges }, graph.revision + 1);
  const isThere = (edge: number) => !goneEdges.has(edge);
  const patched: Graph = {
    ...built,
    edges: built.edges.map((edge) => ({ ...edge, removed: !isThere(edge.number) })),
    nodes: built.nodes.map((node) => ({
      ...node,
      removed: goneNodes.has(node.id),
      incoming: node.incoming.filter(isThere),
      outgoing: node.outgoing.filter(isThere),
    })),
  };
  SPECS.set(patched, { ...spec, nodes, edges });
  return patched;
}
