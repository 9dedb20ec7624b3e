import { fault, type PlanFault } from './faults.ts';
import { type Partitioning, partitionings } from './partitioning.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';

/** Streams with one aggregate are keyed alike and lie on partitions alike. */
export function cogroupFaults(plan: Plan): readonly PlanFault[] {
  const schemes = partitionings(plan.nodes, plan.topics);
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  return plan.nodes.flatMap((node) =>
    node.kind === 'aggregate' && node.how === 'cogroup' ? (memberFault(node, nodes, schemes) ?? []) : [],
  );
}

function memberFault(
  node: NodeOf<'aggregate'>,
  nodes: ReadonlyMap<string, PlanNode>,
  schemes: ReadonlyMap<string, Partitioning>,
): PlanFault | undefined {
  const [first = '', ...others] = node.inputs;
  const one = schemes.get(first);
  for (const id of others) {
    const other = schemes.get(id);
    if (one === undefined || other === undefined || one.by === 'stale') continue;
    const tell = (words: string) => fault('partitioning', node.id, `${node.id}: ${words}`);
    if (other.by === 'stale') {
      const message = `${node.id}: the key of ${id} changed: call repartition(...) before groupByKey`;
      return fault('stale-key', node.id, message);
    }
    if (one.partitions !== other.partitions) {
      const words = `partition counts differ: ${first} has ${one.partitions}, ${id} has ${other.partitions}`;
      return tell(`${words}; call repartition(...) with one count before grouping`);
    }
    const [key, otherKey] = [nodes.get(first)?.key, nodes.get(id)?.key];
    if (key !== otherKey) {
      return tell(`key types differ: ${first} has ${key}, ${id} has ${otherKey}; repartition(...) to one key`);
    }
    const unknown = one.by === 'unknown' ? first : other.by === 'unknown' ? id : undefined;
    if (unknown !== undefined) {
      return tell(
        `nobody knows by which partitioner ${unknown} lies on its partitions; repartition it, or declare its topic with partitioner: 'key' where that is so`,
      );
    }
    if (one.by !== other.by) {
      return tell(
        `one of ${first} and ${id} lies by its windowed key, the other by the key inside; call repartition(...) on one`,
      );
    }
  }
  return undefined;
}
