import { fault, type PlanFault } from './faults.ts';
import { nullKeysOf } from './null-keys.ts';
import { type Partitioning, partitionings, sinkPartitioner } from './partitioning.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';

type Schemes = ReadonlyMap<string, Partitioning>;

/** Operations that need the records of a key in the task of that key. */
const KEYED: readonly string[] = ['aggregate', 'toTable', 'joinTable', 'joinTables', 'deduplicate', 'difference'];
/** They look into stores of others, and their own rule says on which partitions. */
const LOOKERS: readonly string[] = ['joinTable', 'joinTables', 'answerForeign', 'joinForeign'];

/** Keyed operations find all records of a key in one task, and the row that belongs to them in the same. */
export function partitioningFaults(plan: Plan): readonly PlanFault[] {
  const schemes = partitionings(plan.nodes, plan.topics);
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const found: PlanFault[] = [];
  for (const node of plan.nodes) {
    const message = nodeProblem(node, schemes, byId);
    if (message !== undefined) found.push(message);
    if (node.kind === 'to' && node.partitioner !== sinkPartitioner(node, schemes, plan.topics)) {
      const right = sinkPartitioner(node, schemes, plan.topics);
      found.push(
        fault(
          'partitioning',
          node.id,
          `${node.id} has the partitioner ${node.partitioner}; its records lie by ${right}`,
        ),
      );
    }
  }
  return [...found, ...nullKeyFaults(plan), ...sharedStoreFaults(plan, schemes)];
}

function nodeProblem(node: PlanNode, schemes: Schemes, byId: ReadonlyMap<string, PlanNode>): PlanFault | undefined {
  if (node.kind === 'joinStreams') return streamsProblem(node, schemes, byId);
  if (node.kind === 'answerForeign') return foreignProblem(node, schemes);
  if (!KEYED.includes(node.kind)) return undefined;
  const input = schemes.get(node.inputs[0] ?? '');
  if (input === undefined) return undefined;
  if (input.by === 'stale') {
    // Told where the table is made.
    if (node.kind === 'joinTables') return undefined;
    const before = node.kind === 'aggregate' ? 'groupByKey' : node.kind;
    return staleFault(node, input, `before ${before}`);
  }
  return node.kind === 'joinTable' || node.kind === 'joinTables' ? joinProblem(node, input, schemes, byId) : undefined;
}

function staleFault(node: PlanNode, input: Partitioning, where: string): PlanFault {
  const call = input.partitions === 0 ? 'to(topic) or repartition(...)' : 'repartition(...)';
  const why = input.partitions === 0 ? 'a connector has partitions of its own' : 'the key changed';
  return fault('stale-key', node.id, `${node.id}: ${why}: call ${call} ${where}`);
}

/** Either side of a join of streams may be the one that does not lie by its key. */
function streamsProblem(
  node: NodeOf<'joinStreams'>,
  schemes: Schemes,
  byId: ReadonlyMap<string, PlanNode>,
): PlanFault | undefined {
  const [left = '', right = ''] = node.inputs;
  const first = schemes.get(left);
  const second = schemes.get(right);
  if (first?.by === 'stale') return staleFault(node, first, `on ${left} before it is joined`);
  if (second?.by === 'stale') return staleFault(node, second, `on ${right} before it is joined`);
  return first === undefined ? undefined : joinProblem(node, first, schemes, byId);
}

/** What is joined with, and how a side comes to lie otherwise. */
const JOINED = {
  joinTable: { other: 'table', cure: 'call repartition(...)', on: 'the stream' },
  joinTables: { other: 'other table', cure: 'call toStream(), repartition(...) and toTable(...)', on: 'one of them' },
  joinStreams: { other: 'other stream', cure: 'call repartition(...)', on: 'one of them' },
} as const;

function joinProblem(
  node: NodeOf<'joinTable' | 'joinTables' | 'joinStreams'>,
  left: Partitioning,
  schemes: Schemes,
  byId: ReadonlyMap<string, PlanNode>,
): PlanFault | undefined {
  const [leftId = '', tableId = ''] = node.inputs;
  const table = schemes.get(tableId);
  if (table === undefined || table.by === 'stale') return undefined;
  const tell = (words: string) => fault('partitioning', node.id, `${node.id}: ${words}`);
  const { other, cure, on } = JOINED[node.kind];
  if (left.partitions !== table.partitions) {
    return tell(
      `partition counts differ: ${leftId} has ${left.partitions}, ${tableId} has ${table.partitions}; ${cure} with the count of the ${other}`,
    );
  }
  const keys = [byId.get(leftId)?.key, byId.get(tableId)?.key];
  if (keys[0] !== keys[1]) {
    const to = node.kind === 'joinTables' ? `${cure} with one key` : `repartition(...) to the key of the ${other}`;
    return tell(`key types differ: ${leftId} has ${keys[0]}, ${tableId} has ${keys[1]}; ${to}`);
  }
  const unknown = left.by === 'unknown' ? leftId : table.by === 'unknown' ? tableId : undefined;
  if (unknown !== undefined) {
    return tell(
      `nobody knows by which partitioner ${unknown} lies on its partitions; repartition it, or declare its topic with partitioner: 'key' where that is so`,
    );
  }
  if (left.by !== table.by) {
    return tell(
      `one of ${leftId} and ${tableId} lies by its windowed key, the other by the key inside; ${cure} on ${on}`,
    );
  }
  return undefined;
}

/** The right table lies where subscriptions of its keys go: by the partitioner of their topic. Of the left, any will do. */
function foreignProblem(node: NodeOf<'answerForeign'>, schemes: Schemes): PlanFault | undefined {
  const [sent = '', tableId = ''] = node.inputs;
  const table = schemes.get(tableId);
  const topic = schemes.get(sent);
  if (table === undefined || topic === undefined || table.by === 'stale') return undefined;
  const tell = (words: string) => fault('partitioning', node.id, `${node.id}: ${words}`);
  if (table.partitions !== topic.partitions) {
    return tell(
      `subscriptions go to ${topic.partitions} partitions, and ${tableId} has ${table.partitions}; give their topic the count of the table`,
    );
  }
  if (table.by === 'unknown') {
    return tell(
      `nobody knows by which partitioner ${tableId} lies on its partitions; call toStream(), repartition(...) and toTable(...), or declare its topic with partitioner: 'key' where that is so`,
    );
  }
  if (table.by === 'window-key') {
    return tell(
      `${tableId} lies by the key inside its windowed key, and a foreign key finds rows by the whole; call toStream(), repartition(...) and toTable(...) on it`,
    );
  }
  return undefined;
}

function nullKeyFaults(plan: Plan): readonly PlanFault[] {
  const right = nullKeysOf(plan.nodes);
  return plan.nodes.flatMap((node) => {
    if (node.kind !== 'repartition' || node.nullKeys === right.get(node.id)) return [];
    const message = `${node.id} says ${node.nullKeys} for records without a key, and what lies behind it makes it ${right.get(node.id)}; build the plan anew`;
    return [fault('partitioning', node.id, message)];
  });
}

/** Task n of every user of a store must see the same keys. */
function sharedStoreFaults(plan: Plan, schemes: Schemes): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  for (const store of plan.stores) {
    if (store.kind === 'global') continue;
    const users = store.nodes.filter((id) => schemes.has(id) && !LOOKERS.includes(byId.get(id)?.kind ?? ''));
    const counts = users.map((id) => schemes.get(id)!.partitions);
    const other = counts.findIndex((count) => count !== counts[0]);
    if (other < 0) continue;
    const message = `store ${store.name} is shared by ${users[0]} on ${counts[0]} partitions and ${users[other]} on ${counts[other]}; call repartition(...) to bring both to one count`;
    found.push(fault('partitioning', users[other]!, message));
  }
  return found;
}
