import type { GraphNames } from '../../events/events.ts';
import { portSchemas } from '../port-schemas.ts';
import type { Catalogue } from './catalogue.ts';
import type { GraphCache } from './definition-rows.ts';
import { knownGraph } from './known-graphs.ts';

/** Waits for what another process has published; what is in no definition that was published is asked for once. */
export function knownDefinitions(catalogue: Catalogue): (definition: string) => Promise<void> | undefined {
  const asked = new Set<string>();
  return (hash) => {
    if (catalogue.byHash(hash) !== undefined || asked.has(hash)) return undefined;
    return catalogue.refresh().then(() => {
      asked.add(hash);
    });
  };
}

/** The words of node numbers, by definition. What a patch has added to an execution of its own is told by number. */
export function graphNames(catalogue: Catalogue, graphs: GraphCache): (definition: string) => GraphNames {
  return (hash) => {
    const graph = knownGraph(catalogue, graphs, hash);
    return {
      workflow: graph?.document.id ?? '',
      id: (node) => graph?.nodes[node]?.id ?? `#${node}`,
      type: (node) => graph?.nodes[node]?.type.name ?? '',
      schema: (node, port) => (graph === undefined ? null : portSchemas(graph).idOf(node, port)),
    };
  };
}
