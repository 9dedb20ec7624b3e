import type { GraphNames } from '../../events/events.ts';
import type { Catalogue } from './catalogue.ts';
import type { GraphCache } from './definition-rows.ts';
import { knownGraph } from './known-graphs.ts';

/** The words of node numbers, by definition. What a patch has added to an execution of its own is told by number. */
export function graphNames(catalogue: Catalogue, graphs: GraphCache): (definition: string) => GraphNames {
  return (hash) => {
    const graph = knownGraph(catalogue, graphs, hash);
    return {
      workflow: graph?.document.id ?? '',
      id: (node) => graph?.nodes[node]?.id ?? `#${node}`,
      type: (node) => graph?.nodes[node]?.type.name ?? '',
    };
  };
}
