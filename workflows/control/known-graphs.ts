import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { Graph } from '../graph.ts';
import type { Catalogue } from './catalogue.ts';
import type { GraphCache } from './definition-rows.ts';

/** The graph of a definition, by its hash; undefined where the catalogue does not know it, or not yet. */
export function knownGraph(catalogue: Catalogue, graphs: GraphCache, hash: string): Graph | undefined {
  const definition = catalogue.byHash(hash);
  return definition === undefined ? undefined : graphs.base(hash, () => definition.document as unknown as Json);
}

/** The same of one that was published before this is called. */
export async function publishedGraph(catalogue: Catalogue, graphs: GraphCache, hash: string): Promise<Graph> {
  if (catalogue.byHash(hash) === undefined) await catalogue.refresh();
  const graph = knownGraph(catalogue, graphs, hash);
  if (graph === undefined) throw new FlowError('workflow.unknown-definition', `there is no definition ${hash}`);
  return graph;
}
