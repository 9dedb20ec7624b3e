import type { Json } from '../core/ids.ts';
import documentSchema from './document.schema.json' with { type: 'json' };
import type { EdgeSpec, NodeSpec, WorkflowDocument } from './document.ts';
import { type FaultList, type Path, quoted } from './faults.ts';
import { schemaCheck } from './json-schema.ts';
import { isWithinChoice, kindOf, wordsOf } from './schema-words.ts';
import { pointerOf } from './template.ts';

/** The JSON Schema of documents, published with the package. */
export const DOCUMENT_SCHEMA: Json = documentSchema;

/** What of a document is as the schema has it: rules judge this, so that all faults are told at once. */
export interface Sound {
  /** Without nodes and edges: those follow, with their places. */
  readonly document: Partial<Omit<WorkflowDocument, 'nodes' | 'edges'>>;
  readonly nodes: readonly { readonly index: number; readonly node: NodeSpec }[];
  readonly edges: readonly { readonly index: number; readonly edge: EdgeSpec }[];
}

/** Tells what does not fit the schema, and answers the rest. */
export function judgeSchema(json: Json, faults: FaultList): Sound {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    faults.add(
      'workflow.schema',
      [],
      `a workflow document is an object, not ${kindOf(json)}`,
      'Begin with { "apiVersion": "nodeflow/v1" }.',
    );
    return { document: {}, nodes: [], edges: [] };
  }
  const broken = new Set<string>();
  for (const error of schemaCheck(DOCUMENT_SCHEMA)(json)) {
    if (isWithinChoice(error)) continue;
    const { path, message, cure, unknownField } = wordsOf(error);
    broken.add(pointerOf(path));
    const place = placeOf(unknownField ? path.slice(0, -1) : path, json);
    faults.add(unknownField ? 'workflow.unknown-field' : 'workflow.schema', path, `${place} ${message}`, cure);
  }
  broken.delete('');
  return soundPart(json as { readonly [name: string]: Json }, broken);
}

/** A place in words: `data.config of node pay`. */
export function placeOf(path: Path, json: Json): string {
  const [list, index, ...rest] = path;
  const of = list === 'nodes' || list === 'edges' ? (json as never)[list]?.[index ?? -1] : undefined;
  const field = (names: Path) => quoted(names.join('.'));
  if (of === undefined || of === null) return path.length === 0 ? 'the document' : field(path);
  const { id, source, target } = of as { readonly [name: string]: unknown };
  const name =
    list === 'nodes'
      ? `node ${typeof id === 'string' ? quoted(id) : `number ${String(index)}`}`
      : `the edge ${typeof source === 'string' && typeof target === 'string' ? `from ${quoted(source)} to ${quoted(target)}` : `number ${String(index)}`}`;
  return rest.length === 0 ? name : `${field(rest)} of ${name}`;
}

function soundPart(json: { readonly [name: string]: Json }, broken: ReadonlySet<string>): Sound {
  const { nodes, edges, ...document } = pruned(json, '', broken) as { readonly [name: string]: Json };
  const soundNodes = itemsOf(nodes)
    .map((node, index) => ({ index, node: node as unknown as NodeSpec }))
    .filter(({ node }) => typeof node?.id === 'string' && typeof node.type === 'string');
  const soundEdges = itemsOf(edges)
    .map((edge, index) => ({ index, edge: edge as unknown as EdgeSpec }))
    .filter(({ edge }) => typeof edge?.source === 'string' && typeof edge.target === 'string');
  return { document: document as Sound['document'], nodes: soundNodes, edges: soundEdges };
}

/** Without what stands at broken places; items of lists leave a hole, so that the others keep their places. */
function pruned(json: Json, pointer: string, broken: ReadonlySet<string>): Json | undefined {
  if (broken.has(pointer)) return undefined;
  if (typeof json !== 'object' || json === null || broken.size === 0) return json;
  if (Array.isArray(json)) return json.map((item: Json, i) => pruned(item, `${pointer}/${i}`, broken) as Json);
  const kept = Object.entries(json)
    .map(([name, field]) => [name, pruned(field, pointer + pointerOf([name]), broken)] as const)
    .filter(([, field]) => field !== undefined);
  return Object.fromEntries(kept) as Json;
}

function itemsOf(list: Json | undefined): readonly Json[] {
  return Array.isArray(list) ? list : [];
}
