import { nearest } from '../../core/nearest.ts';
import type { Catalog } from '../catalog.ts';
import type { DocumentFault, WorkflowDocument } from '../document.ts';
import type { Definition } from '../workflows.ts';

export interface Published {
  find(id: string, version: string | undefined): Promise<Definition | undefined>;
  /** Ids of all. */
  readonly ids: readonly string[];
}

/**
 * What nodes start for their records has to be there when a document is published: there may be many records, and each
 * would fail. Names that are expressions are known when an execution runs.
 */
export async function startedFaults(
  document: WorkflowDocument,
  catalog: Catalog,
  published: Published,
): Promise<readonly DocumentFault[]> {
  const faults: DocumentFault[] = [];
  for (const [index, { id, type, data }] of document.nodes.entries()) {
    const behaviour = catalog.find(type)?.behaviour;
    if (behaviour?.kind !== 'operator' || behaviour.starts !== true) continue;
    const { workflow, version } = data?.config ?? {};
    if (typeof workflow !== 'string' || workflow.startsWith('=')) continue;
    const named = typeof version === 'string' ? version : undefined;
    if (named?.startsWith('=')) continue;
    if (workflow === document.id && (named === undefined || named === document.version)) continue;
    const found = await published.find(workflow, named);
    const pointer = `/nodes/${index}/data/config/${named === undefined ? 'workflow' : 'version'}`;
    if (found === undefined) {
      const [near] = nearest(workflow, published.ids);
      faults.push({
        code: 'workflow.unknown-definition',
        pointer,
        message: `${id} starts ${workflow}${named === undefined ? '' : `@${named}`}, which is not published`,
        cure:
          near === undefined || near === workflow ? 'Publish it first.' : `Publish it first, or did you mean ${near}?`,
      });
    } else if (found.document.mode === 'streaming') {
      faults.push({
        code: 'workflow.config',
        pointer,
        message: `${id} starts ${workflow} for each record, and that goes on until somebody ends it`,
        cure: 'Name a workflow that ends by itself.',
      });
    }
  }
  return faults;
}
