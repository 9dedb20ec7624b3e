import { drawingOf, globalTables, nodeWords, partitionWords, stageWords, storeWords } from './describe-words.ts';
import type { Plan } from './plan.ts';

/** A Mermaid flowchart: stages as subgraphs, topics as stadiums between them, stores as cylinders. */
export function describeMermaid(plan: Plan): string {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const short = new Map<string, string>();
  const number = (prefix: string, name: string) => {
    const key = `${prefix}/${name}`;
    if (!short.has(key)) short.set(key, `${prefix}${short.size}`);
    return short.get(key)!;
  };
  const node = (id: string) => number('n', id);
  const topic = (name: string) => number('t', name);
  const store = (name: string) => number('s', name);
  const lines = ['flowchart LR'];
  for (const each of plan.topics) {
    lines.push(`  ${topic(each.name)}([${text(each.name, partitionWords(each.partitions))}])`);
  }
  for (const stage of plan.stages) {
    lines.push(`  subgraph ${number('g', stage.id)}[${text(`${stage.id} (${stageWords(stage)})`)}]`);
    for (const id of stage.nodes) lines.push(`    ${node(id)}[${text(id, nodeWords(byId.get(id)!))}]`);
    for (const name of stage.stores) {
      const found = plan.stores.find((each) => each.name === name)!;
      lines.push(`    ${store(name)}[(${text(name, storeWords(found))})]`);
    }
    lines.push('  end');
  }
  for (const each of globalTables(plan)) {
    lines.push(`  ${node(each.id)}[${text(each.id, nodeWords(each))}]`);
    const found = plan.stores.find(({ name }) => name === each.store);
    if (found !== undefined) lines.push(`  ${store(found.name)}[(${text(found.name, storeWords(found))})]`);
  }
  const { flows, reads, writes, uses } = drawingOf(plan);
  for (const [from, to] of flows) lines.push(`  ${node(from)} --> ${node(to)}`);
  for (const [from, to] of reads) lines.push(`  ${topic(from)} --> ${node(to)}`);
  for (const [from, to] of writes) lines.push(`  ${node(from)} --> ${topic(to)}`);
  for (const [from, to] of uses) lines.push(`  ${node(from)} -.- ${store(to)}`);
  return `${lines.join('\n')}\n`;
}

/** Quoted, since names may hold what Mermaid reads as syntax; `#quot;` is its own escape. */
function text(...parts: readonly string[]): string {
  const shown = parts
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;'));
  return `"${shown.join('<br/>')}"`;
}
