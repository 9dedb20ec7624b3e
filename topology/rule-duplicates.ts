import { fault, type PlanFault } from './faults.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';
import { ownStore } from './table-rows.ts';

/** Kinds whose second node of one id shows as a second reader of a topic or writer of a store. */
const TOLD_ELSEWHERE: readonly string[] = [
  'source',
  'table',
  'globalTable',
  'aggregate',
  'aggregateTable',
  'toTable',
  'filterTable',
  'mapTable',
  'suppressBuffer',
  'deduplicate',
  'difference',
  'subscribeForeign',
  'answerForeign',
];

/** One name, one thing. */
export function duplicateFaults(plan: Plan): readonly PlanFault[] {
  return [...idFaults(plan), ...topicFaults(plan), ...readerFaults(plan), ...storeFaults(plan)];
}

function idFaults(plan: Plan): readonly PlanFault[] {
  return repeated(plan.nodes, (node) => node.id)
    .filter(([node]) => !TOLD_ELSEWHERE.includes(node!.kind))
    .map(([node, ...more]) => {
      const name = node!.id.slice(node!.id.indexOf(':') + 1);
      return fault(
        'duplicate',
        node!.id,
        `${more.length + 1} nodes of kind ${node!.kind} are named ${name}; give each a name of its own`,
      );
    });
}

function topicFaults(plan: Plan): readonly PlanFault[] {
  return repeated(plan.topics, (topic) => topic.name).map((topics) => {
    const [one, other] = topics;
    const fields = (['partitions', 'key', 'value', 'internal', 'partitioner'] as const).filter(
      (field) => one![field] !== other![field],
    );
    const how = fields.map((field) => `${field} ${one![field]} and ${other![field]}`).join(', ');
    const message = one!.internal
      ? `two repartitions share the internal topic ${one!.name}; give each a name of its own`
      : `topic ${one!.name} is declared twice (${how}); declare it once and use that`;
    return fault('duplicate', null, message);
  });
}

const WAYS = { source: 'as streams', table: 'as tables', globalTable: 'as global tables' };

/** One topic is read by one node: two would share its positions. */
function readerFaults(plan: Plan): readonly PlanFault[] {
  const readers = plan.nodes.filter(
    (node) => node.kind === 'source' || node.kind === 'table' || node.kind === 'globalTable',
  );
  return repeated(readers, (node) => node.topic).map((nodes) => {
    const kinds = new Set(nodes.map((node) => node.kind));
    const [first] = nodes;
    if (kinds.size > 1 && kinds.has('globalTable')) {
      const cure = 'read it in one way, or write it to a second topic for the other';
      return fault('duplicate', first!.id, `topic ${first!.topic} is read as a global table and otherwise; ${cure}`);
    }
    if (kinds.size === 2) {
      const cure = 'read it once, as a stream with toTable(...) or as a table with toStream()';
      return fault('duplicate', first!.id, `topic ${first!.topic} is read as a stream and as a table; ${cure}`);
    }
    const what = first!.kind === 'source' ? 'as streams that differ in formats, time or policy' : WAYS[first!.kind];
    const cure = 'read it once and use that handle twice';
    return fault('duplicate', first!.id, `topic ${first!.topic} is read ${nodes.length} times ${what}; ${cure}`);
  });
}

function storeFaults(plan: Plan): readonly PlanFault[] {
  const different = repeated(plan.stores, (store) => store.name).map(([one]) =>
    fault(
      'duplicate',
      one!.nodes[0] ?? null,
      `store ${one!.name} is declared twice and not alike; give each a name of its own, or declare both alike to share it`,
    ),
  );
  const owners = plan.nodes.filter((node) => writtenStore(node) !== null);
  const shared = repeated(owners, (node) => writtenStore(node)!).map((nodes) =>
    fault(
      'duplicate',
      nodes[0]!.id,
      `${nodes.length} operators write the store ${writtenStore(nodes[0]!)}; give each a store of its own`,
    ),
  );
  const told = new Set(shared.map((each) => each.node));
  return [...different.filter((each) => !told.has(each.node)), ...shared];
}

/** Kinds that write a store without being tables. */
const WRITERS = ['suppressBuffer', 'deduplicate', 'difference'] as const;

function isWriter(node: PlanNode): node is NodeOf<(typeof WRITERS)[number]> {
  return (WRITERS as readonly string[]).includes(node.kind);
}

/** The store that nobody else may write. */
function writtenStore(node: PlanNode): string | null {
  return isWriter(node) ? node.store : ownStore(node);
}

/** Groups of two or more under one name. */
function repeated<T>(items: readonly T[], nameOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
