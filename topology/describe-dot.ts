import { drawingOf, globalTables, nodeWords, partitionWords, stageWords, storeWords } from './describe-words.ts';
import type { Plan } from './plan.ts';

/** A DOT digraph for Graphviz: stages as clusters. */
export function describeDot(plan: Plan): string {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const node = (id: string) => quoted(id);
  const topic = (name: string) => quoted(`topic ${name}`);
  const store = (name: string) => quoted(`store ${name}`);
  const lines = [`digraph ${quoted(plan.name)} {`, '  rankdir=LR;', '  node [shape=box];'];
  for (const each of plan.topics) {
    lines.push(`  ${topic(each.name)} [shape=cds, label=${quoted(each.name, partitionWords(each.partitions))}];`);
  }
  plan.stages.forEach((stage, index) => {
    lines.push(`  subgraph cluster_${index} {`, `    label=${quoted(`${stage.id} (${stageWords(stage)})`)};`);
    for (const id of stage.nodes) lines.push(`    ${node(id)} [label=${quoted(id, nodeWords(byId.get(id)!))}];`);
    for (const name of stage.stores) {
      const found = plan.stores.find((each) => each.name === name)!;
      lines.push(`    ${store(name)} [shape=cylinder, label=${quoted(name, storeWords(found))}];`);
    }
    lines.push('  }');
  });
  for (const each of globalTables(plan)) {
    lines.push(`  ${node(each.id)} [label=${quoted(each.id, nodeWords(each))}];`);
    const found = plan.stores.find(({ name }) => name === each.store);
    if (found === undefined) continue;
    lines.push(`  ${store(found.name)} [shape=cylinder, label=${quoted(found.name, storeWords(found))}];`);
  }
  const { flows, reads, writes, uses } = drawingOf(plan);
  for (const [from, to] of flows) lines.push(`  ${node(from)} -> ${node(to)};`);
  for (const [from, to] of reads) lines.push(`  ${topic(from)} -> ${node(to)};`);
  for (const [from, to] of writes) lines.push(`  ${node(from)} -> ${topic(to)};`);
  for (const [from, to] of uses) lines.push(`  ${node(from)} -> ${store(to)} [style=dashed, dir=none];`);
  return `${lines.join('\n')}\n}\n`;
}

function quoted(...parts: readonly string[]): string {
  const shown = parts.filter((part) => part !== '').map((part) => part.replaceAll('\\', '\\\\').replaceAll('"', '\\"'));
  return `"${shown.join('\\n')}"`;
}
