import { globalTables, nodeWords, stageWords, storeWords, topicWords } from './describe-words.ts';
import type { Plan, PlanNode, Stage } from './plan.ts';

/** For the terminal: one line a node, with what it takes where that is not the line above. */
export function describeText(plan: Plan): string {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const lines = [`topology ${plan.name}`];
  for (const stage of plan.stages) lines.push('', ...stageLines(stage, byId));
  const globals = globalTables(plan);
  if (globals.length > 0) {
    lines.push('', 'global tables (in each worker)', ...table(globals.map((node) => [node.id, nodeWords(node)])));
  }
  if (plan.topics.length > 0) {
    lines.push(
      '',
      'topics',
      ...table(plan.topics.map((topic) => [topic.name, topicWords(topic), topic.internal ? 'internal' : ''])),
    );
  }
  if (plan.stores.length > 0) {
    lines.push('', 'stores', ...table(plan.stores.map((store) => [store.name, storeWords(store)])));
  }
  return `${lines.join('\n')}\n`;
}

function stageLines(stage: Stage, byId: ReadonlyMap<string, PlanNode>): readonly string[] {
  const rows = stage.nodes.map((id, index) => {
    const node = byId.get(id)!;
    const above = index === 0 ? undefined : stage.nodes[index - 1];
    const follows = node.inputs.length === 0 || (node.inputs.length === 1 && node.inputs[0] === above);
    return [id, nodeWords(node), follows ? '' : `<- ${node.inputs.join(' + ')}`];
  });
  return [`stage ${stage.id} (${stageWords(stage)})`, ...table(rows)];
}

/** Columns as wide as their widest cell, indented. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`.trimEnd());
}
