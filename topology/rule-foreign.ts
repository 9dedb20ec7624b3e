import { fault, type PlanFault } from './faults.ts';
import type { NodeOf, Plan, PlanNode } from './plan.ts';

/**
 * Joins by foreign key know the formats of both sides, since their rows travel, and have rows that can be looked up only
 * where they keep them: one side of each lies with other tasks.
 */
export function foreignFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  for (const node of plan.nodes) {
    if (node.kind !== 'joinForeign') continue;
    const tell = (words: string) => found.push(fault('shape', node.id, `${node.id} ${words}`));
    const answers = answersOf(node, byId);
    // two of one name are told elsewhere
    if (answers === undefined && !repeated(node.id, plan))
      tell('does not stand behind its subscriptions and answers; build the plan anew');
    for (const [name, side, tableId] of [
      [node.leftValue, 'left', node.inputs[0]],
      [node.rightValue, 'right', answers?.inputs[1]],
    ] as const) {
      if (name !== '') continue;
      const words = `sends values of ${tableId}, its ${side} table, and nobody said their format; give the call that makes that table \`value\``;
      found.push(fault('serde', node.id, `${node.id} ${words}`));
    }
    const looker = node.store === null ? lookerOf(node.id, plan.nodes) : undefined;
    if (looker !== undefined) {
      tell(`keeps no rows, and ${looker.id} needs them; give joinForeign(...) a store`);
    }
  }
  return found;
}

function repeated(id: string, plan: Plan): boolean {
  return plan.nodes.filter((node) => node.id === id).length > 1;
}

/** The node that answers a join, where all three hang together as they must. */
function answersOf(
  node: NodeOf<'joinForeign'>,
  byId: ReadonlyMap<string, PlanNode>,
): NodeOf<'answerForeign'> | undefined {
  const answers = byId.get(byId.get(node.inputs[1] ?? '')?.inputs[0] ?? '');
  if (answers?.kind !== 'answerForeign' || answers.how !== node.how) return undefined;
  const sends = byId.get(byId.get(answers.inputs[0] ?? '')?.inputs[0] ?? '');
  if (sends?.kind !== 'subscribeForeign' || sends.how !== node.how) return undefined;
  return sends.inputs[0] === node.inputs[0] ? answers : undefined;
}

/** A node behind a table without rows that looks one up, or asks for the value that an update replaces. */
function lookerOf(table: string, nodes: readonly PlanNode[]): PlanNode | undefined {
  for (const node of nodes) {
    if (!node.inputs.includes(table) || node.kind === 'toStream') continue;
    const rowByRow = node.kind === 'mapTable' || node.kind === 'filterTable';
    // what it replaces is known by its own rows
    if (rowByRow && node.store !== null) continue;
    if (!rowByRow || (node.kind === 'filterTable' && node.deletions === 'known')) return node;
    const behind = lookerOf(node.id, nodes);
    if (behind !== undefined) return behind;
  }
  return undefined;
}
