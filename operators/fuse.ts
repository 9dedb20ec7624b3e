import type { PlanNode } from '../topology/plan.ts';
import type { Push } from './operators.ts';

/** An edge of the plan: the node that gets the records, and at which of its inputs. */
export interface Wire {
  readonly node: PlanNode;
  readonly input: number;
}

/** The port of an aggregate's final results; port 0 has its updates. */
const FINALS = 1;

/**
 * How nodes hang together: for each node its ports, for each port the wires that leave it, in plan order.
 *
 * All kinds have one port but two. A `branch` has one an arm. A windowed `aggregate` makes the final results for
 * the `suppress` nodes behind it, since it knows when its windows close and holds their rows: they hang on its second
 * port, and pass on what they get; so does all that is behind one that emits when windows close. So suppression needs no buffer of its own, and where nobody else listens the
 * first port is empty and no update is ever made.
 *
 * A node behind which `late` nodes stand has one port more, the last: what the node drops as late goes there. The node
 * knows nothing of it; see `drop` of the context.
 *
 * `nodes` are those of a stage or of a whole plan; wires to nodes outside are left out.
 */
export function fuse(nodes: readonly PlanNode[]): ReadonlyMap<string, readonly (readonly Wire[])[]> {
  const ports = new Map<string, Wire[][]>();
  const byId = new Map<string, PlanNode>();
  for (const node of nodes) {
    byId.set(node.id, node);
    ports.set(
      node.id,
      Array.from({ length: portCount(node) }, () => []),
    );
  }
  for (const node of nodes) {
    node.inputs.forEach((id, input) => {
      const from = byId.get(id);
      if (from === undefined) return;
      if (node.kind === 'late') ports.get(id)![latePort(from)] ??= [];
      ports.get(id)![portTo(from, node)]?.push({ node, input });
    });
  }
  return ports;
}

function portCount(node: PlanNode): number {
  if (node.kind === 'branch') return node.arms.length;
  return node.kind === 'aggregate' ? FINALS + 1 : 1;
}

/** Where a node's late records go; there is such a port only where somebody listens. */
export function latePort(node: PlanNode): number {
  return portCount(node);
}

/** -1: the node takes nothing from there. */
function portTo(from: PlanNode, to: PlanNode): number {
  if (to.kind === 'late') return latePort(from);
  if (from.kind === 'branch' && to.kind === 'arm') return from.arms.findIndex((arm) => arm.name === to.arm);
  return from.kind === 'aggregate' && (to.kind === 'suppress' || from.emit === 'close') ? FINALS : 0;
}

/** The end of a road that leads nowhere. Compared by identity. */
export const NOWHERE: Push = () => {};

/** One push for several: depth-first, in order. */
export function fanOut(pushes: readonly Push[]): Push {
  const wanted = pushes.filter((push) => push !== NOWHERE);
  const [first, second] = wanted;
  if (first === undefined) return NOWHERE;
  if (second === undefined) return first;
  if (wanted.length === 2) {
    return (record) => {
      first(record);
      second(record);
    };
  }
  return (record) => {
    for (let i = 0; i < wanted.length; i++) wanted[i]!(record);
  };
}
