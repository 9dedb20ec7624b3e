import { canonicalJson } from '../core/canonical-json.ts';
import type { Json } from '../core/ids.ts';
import { documentHash, usualId } from './canonical.ts';
import type { EdgeSpec, NodeSpec, WorkflowDocument } from './document.ts';

/** What changed between two documents. */
export interface DocumentDiff {
  /** Both run the same. */
  readonly same: boolean;
  readonly changes: readonly DocumentChange[];
  /** Whether executions that run can be given the new document by a patch, and whether callers still fit. */
  readonly running: Fit;
  readonly callers: 'fits' | 'breaks';
}

/** `if-not-begun`: an execution can take it as long as the node has not begun. `never`: it stays on its version. */
export type Fit = 'fits' | 'if-not-begun' | 'never';

export interface DocumentChange {
  readonly kind: 'document' | 'input' | 'node' | 'edge' | 'policy';
  /** `node pay: type task is now task.http`. */
  readonly text: string;
  readonly running: Fit;
  readonly callers: 'fits' | 'breaks';
}

export function diffDocuments(from: WorkflowDocument, to: WorkflowDocument): DocumentDiff {
  const changes = [
    ...documentChanges(from, to),
    ...inputChanges(from, to),
    ...nodeChanges(from.nodes, to.nodes),
    ...edgeChanges(from.edges, to.edges),
  ];
  const has = (fit: Fit) => changes.some(({ running }) => running === fit);
  return {
    same: documentHash(from) === documentHash(to),
    changes,
    running: has('never') ? 'never' : has('if-not-begun') ? 'if-not-begun' : 'fits',
    callers: changes.some(({ callers }) => callers === 'breaks') ? 'breaks' : 'fits',
  };
}

const WORDS: { readonly [fit in Fit]: string } = {
  fits: 'executions that run can take it',
  'if-not-begun': 'executions that run can take it where these nodes have not begun',
  never: 'executions that run stay on their version',
};

/** The difference in words, for terminals. */
export function documentDiffLines({ same, changes, running, callers }: DocumentDiff): readonly string[] {
  if (changes.length === 0) return [same ? 'nothing has changed' : 'nothing has changed that can be told apart'];
  const lines = changes.map(({ text, running: fit }) => (fit === 'fits' ? text : `${text} (${fit})`));
  return [...lines, '', `${WORDS[running]}; ${callers === 'fits' ? 'callers still fit' : 'callers have to change'}`];
}

function change(kind: DocumentChange['kind'], text: string, running: Fit = 'fits'): DocumentChange {
  return { kind, text, running, callers: 'fits' };
}

function documentChanges(from: WorkflowDocument, to: WorkflowDocument): readonly DocumentChange[] {
  const found: DocumentChange[] = [];
  if (from.id !== to.id)
    found.push(change('document', `the id was ${from.id}, is now ${to.id}: another workflow`, 'never'));
  for (const field of ['version', 'name', 'description', 'mode', 'dedicated'] as const) {
    if (from[field] !== to[field]) {
      const fit = field === 'mode' ? 'never' : 'fits';
      found.push(
        change('document', `the ${field} was ${from[field] ?? 'not given'}, is now ${to[field] ?? 'not given'}`, fit),
      );
    }
  }
  for (const field of ['labels', 'triggers', 'outputs', 'pins', 'origin'] as const) {
    if (differ(from[field], to[field])) found.push(change('document', `the ${field} changed`));
  }
  if (differ(from.session, to.session)) {
    found.push(
      change('document', `the session of the document: ${fieldsThatDiffer(from.session, to.session)}`, 'never'),
    );
  }
  if (differ(from.policy, to.policy)) {
    found.push(
      change('policy', `the policy of the document: ${fieldsThatDiffer(from.policy, to.policy)}`, 'if-not-begun'),
    );
  }
  return found;
}

function inputChanges(from: WorkflowDocument, to: WorkflowDocument): readonly DocumentChange[] {
  const [before, after] = [from.inputs ?? {}, to.inputs ?? {}];
  const found: DocumentChange[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]];
    if (!differ(old, now)) continue;
    const needed = now !== undefined && now.optional !== true && now.default === undefined;
    if (old === undefined) {
      const text = `the input ${name} is new${needed ? ', and needed' : ''}`;
      found.push({ kind: 'input', text, running: needed ? 'never' : 'fits', callers: needed ? 'breaks' : 'fits' });
    } else if (now === undefined) {
      found.push({ kind: 'input', text: `the input ${name} is gone`, running: 'fits', callers: 'fits' });
    } else {
      const stricter = differ(old.schema, now.schema) || (needed && old.optional === true) || old.kind !== now.kind;
      const text = `the input ${name}: ${fieldsThatDiffer(old, now)}`;
      found.push({ kind: 'input', text, running: stricter ? 'never' : 'fits', callers: stricter ? 'breaks' : 'fits' });
    }
  }
  return found;
}

function nodeChanges(from: readonly NodeSpec[], to: readonly NodeSpec[]): readonly DocumentChange[] {
  const [before, after] = [byId(from), byId(to)];
  const found: DocumentChange[] = [];
  for (const [id, old] of before) {
    const now = after.get(id);
    if (now === undefined) found.push(change('node', `node ${id} (${old.type}) is gone`, 'if-not-begun'));
    else found.push(...changesOf(id, old, now));
  }
  for (const [id, now] of after) {
    if (!before.has(id)) found.push(change('node', `node ${id} (${now.type}) is new`));
  }
  return found;
}

function changesOf(id: string, old: NodeSpec, now: NodeSpec): readonly DocumentChange[] {
  const found: DocumentChange[] = [];
  if (old.type !== now.type) {
    found.push(change('node', `node ${id}: the type was ${old.type}, is now ${now.type}`, 'if-not-begun'));
  }
  if (old.parentId !== now.parentId) {
    const place = (parent: string | undefined) => (parent === undefined ? 'at the top' : `in ${parent}`);
    found.push(change('node', `node ${id} was ${place(old.parentId)}, is now ${place(now.parentId)}`, 'if-not-begun'));
  }
  for (const field of ['config', 'inputs', 'outputs', 'policy', 'session', 'compensation', 'disabled'] as const) {
    const [a, b] = [old.data?.[field], now.data?.[field]];
    if (!differ(a, b)) continue;
    const kind = field === 'policy' ? 'policy' : 'node';
    found.push(change(kind, `node ${id}: ${field}${detailOf(a, b)}`, 'if-not-begun'));
  }
  if (old.data?.label !== now.data?.label) found.push(change('node', `node ${id}: the label changed`));
  return found;
}

function edgeChanges(from: readonly EdgeSpec[], to: readonly EdgeSpec[]): readonly DocumentChange[] {
  const ways = (edges: readonly EdgeSpec[]) => new Map(edges.map((edge) => [usualId(edge), edge]));
  const [before, after] = [ways(from), ways(to)];
  const found: DocumentChange[] = [];
  for (const [way, old] of before) {
    const now = after.get(way);
    if (now === undefined) found.push(change('edge', `the edge ${way} is gone`, 'if-not-begun'));
    else if (differ(old.data, now.data)) {
      found.push(change('edge', `the edge ${way}${detailOf(old.data, now.data)}`, 'if-not-begun'));
    }
  }
  for (const way of after.keys())
    if (!before.has(way)) found.push(change('edge', `the edge ${way} is new`, 'if-not-begun'));
  return found;
}

function byId(nodes: readonly NodeSpec[]): ReadonlyMap<string, NodeSpec> {
  return new Map(nodes.map((node) => [node.id, node]));
}

function differ(a: unknown, b: unknown): boolean {
  return canonicalJson((a ?? null) as Json) !== canonicalJson((b ?? null) as Json);
}

function detailOf(a: unknown, b: unknown): string {
  const isFlat = (value: unknown) => value === undefined || typeof value !== 'object';
  return isFlat(a) && isFlat(b)
    ? ` was ${String(a ?? 'not given')}, is now ${String(b ?? 'not given')}`
    : `: ${fieldsThatDiffer(a, b)}`;
}

/** Which fields of two objects differ, with short values. */
function fieldsThatDiffer(a: unknown, b: unknown): string {
  const [before, after] = [a ?? {}, b ?? {}] as unknown as readonly { readonly [name: string]: Json }[];
  const names = new Set([...Object.keys(before!), ...Object.keys(after!)]);
  const short = (value: Json | undefined) => {
    const text = value === undefined ? 'not given' : canonicalJson(value);
    return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
  };
  return [...names]
    .filter((name) => differ(before![name], after![name]))
    .map((name) => `${name} was ${short(before![name])}, is now ${short(after![name])}`)
    .join('; ');
}
