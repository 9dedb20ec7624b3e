import type { Plan, PlanNode, Stage } from './plan.ts';

/** What of a stage comes before a topic that it writes: what else the stage reads cannot add to the topic. */
interface Before {
  /** Where records come in that may get there: sources, tables, read nodes, and repartitions of other stages. */
  readonly entries: ReadonlySet<string>;
  /** Nodes of the stage on the way, those that write the topic included. */
  readonly nodes: ReadonlySet<string>;
}

function before(topic: string, stage: Stage, byId: ReadonlyMap<string, PlanNode>): Before {
  const entries = new Set<string>();
  const nodes = new Set<string>();
  const visit = (id: string): void => {
    const node = byId.get(id);
    if (node === undefined || nodes.has(id)) return;
    nodes.add(id);
    if (node.kind === 'source' || node.kind === 'table' || node.kind === 'read') entries.add(id);
    for (const input of node.inputs) {
      if (byId.get(input)?.kind === 'repartition') entries.add(input);
      else visit(input);
    }
  };
  for (const id of stage.nodes) {
    const node = byId.get(id);
    if ((node?.kind === 'to' || node?.kind === 'repartition') && node.topic === topic) visit(id);
  }
  return { entries, nodes };
}

/**
 * Topics that a stage writes and by which it comes to read again, over other stages or by itself, though no record does.
 * Such a topic ends before the stage does: with what leads to it. That cannot be said where a processor stands before
 * it, whose timers may fire as long as the stage runs.
 */
export function endsBefore(plan: Plan, stage: Stage): readonly (Before & { readonly topic: string })[] {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  return stage.writes
    .filter((topic) => comesBack(plan, stage, topic))
    .map((topic) => ({ topic, ...before(topic, stage, byId) }))
    .filter(({ nodes }) => ![...nodes].some((id) => byId.get(id)!.kind === 'process'));
}

function comesBack(plan: Pick<Plan, 'stages'>, stage: Stage, topic: string): boolean {
  const seen = new Set<string>();
  const open = [topic];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    for (const reader of plan.stages) {
      if (!reader.reads.includes(at)) continue;
      if (reader.id === stage.id) return true;
      open.push(...reader.writes);
    }
  }
  return false;
}
