import { type fuse, NOWHERE, type Push } from '../operators/operators.ts';
import type { NodeKind, PlanNode } from '../topology/plan.ts';

/** Kinds that push on exactly what is pushed into them: what leaves them need not be counted. */
const ONE_TO_ONE: ReadonlySet<NodeKind> = new Set<NodeKind>([
  'arm',
  'late',
  'map',
  'mapValues',
  'merge',
  'peek',
  'selectKey',
  'suppress',
  'toStream',
]);

/** Of a node, how many records were pushed into it. */
export interface NodeCount {
  readonly node: string;
  read(): number;
  /** The same by the node that it came from. */
  readonly inputs: readonly { readonly from: string; read(): number }[];
}

/**
 * How many records go into each node of a task, at the least cost: the task counts what it takes from an input once
 * a batch; nodes that push on what they get are read off the nodes before them; only behind the others stands a
 * push that counts.
 */
export class NodeCounts {
  /** One number for each counted port; the task puts them back after a probe. */
  readonly values: Float64Array;
  readonly #ports: ReturnType<typeof fuse>;
  readonly #nodes: ReadonlyMap<string, PlanNode>;
  readonly #places = new Map<string, number>();

  constructor(nodes: readonly PlanNode[], ports: ReturnType<typeof fuse>) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#ports = ports;
    let places = 0;
    for (const list of ports.values()) places += list.length;
    this.values = new Float64Array(places);
  }

  /** The push of one port of a node, counting where it has to. */
  wrap(node: PlanNode, port: number, push: Push): Push {
    if (push === NOWHERE || ONE_TO_ONE.has(node.kind)) return push;
    const { values } = this;
    const place = this.#places.size;
    this.#places.set(portName(node.id, port), place);
    return (record) => {
      values[place]!++;
      push(record);
    };
  }

  /** `taken` answers how many records came in from outside at an entry node. */
  of(taken: (node: string) => number | undefined): readonly NodeCount[] {
    const into = (node: PlanNode): number =>
      taken(node.id) ??
      node.inputs.reduce((sum, from, input) => sum + this.#between(from, node, input, taken, into), 0);
    const by = (node: PlanNode, from: string, input: number) => ({
      from,
      read: () => this.#between(from, node, input, taken, into),
    });
    return [...this.#nodes.values()].map((node) => ({
      node: node.id,
      read: () => into(node),
      inputs: node.inputs.map((from, input) => by(node, from, input)),
    }));
  }

  #between(
    from: string,
    to: PlanNode,
    input: number,
    taken: (node: string) => number | undefined,
    into: (node: PlanNode) => number,
  ): number {
    const source = this.#nodes.get(from);
    if (source === undefined || source.kind === 'source' || source.kind === 'read') return taken(from) ?? 0;
    if (ONE_TO_ONE.has(source.kind)) return into(source);
    const ports = this.#ports.get(from) ?? [];
    const port = ports.findIndex((wires) => wires.some((wire) => wire.node.id === to.id && wire.input === input));
    const place = this.#places.get(portName(from, port));
    return place === undefined ? 0 : this.values[place]!;
  }
}

function portName(node: string, port: number): string {
  return `${node} ${port}`;
}
