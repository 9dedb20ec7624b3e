import { lookedInto, ownStore, type PlanNode, suppressedBehind } from '../topology/plan.ts';

/**
 * Which nodes put out records with the value that each replaces (`Rec.old`), by id.
 *
 * A node that takes changes apart asks its inputs for it: it subtracts what was added, unsubscribes what was subscribed,
 * or passes on only deletions of what was there. A table that keeps no rows of its own asks its own inputs, if it is
 * asked itself; one that keeps its rows reads the old value there. So a table that nobody asks spares the read. A
 * buffer of suppression in which somebody looks keeps what was let out last.
 *
 * `nodes` are those of a stage or of a whole plan, inputs first.
 */
export function nodesWithOlds(nodes: readonly PlanNode[]): ReadonlySet<string> {
  const asked = new Set<string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const node of nodes.toReversed()) {
    for (const table of lookedInto(node)) {
      for (const { id } of suppressedBehind(table, (each) => byId.get(each))) asked.add(id);
    }
    for (const input of inputsAsked(node, asked.has(node.id))) asked.add(input);
  }
  return asked;
}

const NONE: readonly string[] = [];

/** The inputs of a node whose old values it reads; `asked` is whether its own are. */
function inputsAsked(node: PlanNode, asked: boolean): readonly string[] {
  switch (node.kind) {
    case 'groupTable':
    case 'subscribeForeign':
      return node.inputs;
    case 'filterTable':
      return node.store === null && (asked || node.deletions === 'known') ? node.inputs : NONE;
    case 'mapTable':
      return asked && node.store === null ? node.inputs : NONE;
    case 'suppress':
    case 'suppressBuffer':
      return asked ? node.inputs : NONE;
    case 'joinTables':
      // A row without a partner was passed on, so its deletion is too.
      if (asked || node.how === 'outer') return node.inputs;
      return node.how === 'left' ? node.inputs.slice(0, 1) : NONE;
    default:
      return NONE;
  }
}

/**
 * Whether the records of a table may tell an old value that was never there: the first row of an aggregate replaces its
 * initial value. `nodeOf` finds the nodes that the table is made of.
 */
export function tellsInitial(table: string, nodeOf: (id: string) => PlanNode): boolean {
  const node = nodeOf(table);
  switch (node.kind) {
    case 'aggregate':
      return node.how !== 'reduce';
    case 'filterTable':
    case 'mapTable':
    case 'joinTables':
    case 'suppress':
    case 'suppressBuffer':
      return ownStore(node) === null && node.inputs.some((input) => tellsInitial(input, nodeOf));
    default:
      return false;
  }
}
