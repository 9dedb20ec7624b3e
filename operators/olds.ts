import type { PlanNode } from '../topology/plan.ts';

/**
 * Which nodes put out records with the value that each replaces (`Rec.old`), by id.
 *
 * A node that takes changes apart (it subtracts what was added, or unsubscribes what was subscribed) asks its inputs
 * for it. A table that keeps no rows of its own asks its own inputs, if it is asked itself; one that keeps its rows
 * reads the old value there. So who is not asked spares the read, and with it the emission rules of Kafka Streams hold:
 * a filter that is not asked passes on a deletion of each row that it does not take, also of one that it never took.
 *
 * `nodes` are those of a stage or of a whole plan, inputs first.
 */
export function nodesWithOlds(nodes: readonly PlanNode[]): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const node of nodes.toReversed()) {
    for (const input of inputsAsked(node, asked.has(node.id))) asked.add(input);
  }
  return asked;
}

const NONE: readonly string[] = [];

/** The inputs of a node whose old values it reads; `asked` is whether its own are. */
function inputsAsked(node: PlanNode, asked: boolean): readonly string[] {
  switch (node.kind) {
    case 'suppress':
      return asked ? node.inputs : NONE;
    default:
      return NONE;
  }
}
