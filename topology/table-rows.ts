import type { NodeOf, PlanNode } from './plan.ts';

/**
 * Tables: nodes whose records are changes of rows. Some keep their rows in a store of their own; others are made of
 * tables before them, and a row of theirs is made anew whenever somebody looks it up.
 */
const TABLES: readonly string[] = [
  'table',
  'toTable',
  'aggregate',
  'aggregateTable',
  'filterTable',
  'mapTable',
  'joinTables',
  'joinForeign',
];

/** They put out changes of the rows of a table before them, later than these come about. */
const SUPPRESSED: readonly string[] = ['suppress', 'suppressBuffer'];

/** Tables, and what holds their updates back. */
export function putsOutChanges(node: PlanNode): boolean {
  return isTable(node) || SUPPRESSED.includes(node.kind);
}

/** What holds updates back among the nodes in which somebody looks who looks up rows of a table. */
export function suppressedBehind(
  table: string,
  nodeOf: (id: string) => PlanNode | undefined,
): readonly NodeOf<'suppress' | 'suppressBuffer'>[] {
  const found: NodeOf<'suppress' | 'suppressBuffer'>[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const node = seen.has(id) ? undefined : nodeOf(id);
    seen.add(id);
    if (node === undefined || ownStore(node) !== null) return;
    if (node.kind === 'suppress' || node.kind === 'suppressBuffer') found.push(node);
    if (node.kind !== 'suppress' && putsOutChanges(node)) for (const input of node.inputs) visit(input);
  };
  visit(table);
  return found;
}

/** The tables in which a node looks up rows. */
export function lookedInto({ kind, inputs }: PlanNode): readonly string[] {
  switch (kind) {
    case 'joinTables':
      return inputs;
    case 'joinTable':
    case 'answerForeign':
      return inputs.slice(1);
    case 'joinForeign':
      return inputs.slice(0, 1);
    default:
      return [];
  }
}

function isTable(node: PlanNode): boolean {
  return TABLES.includes(node.kind);
}

/** The table's own store, or null. */
export function ownStore(node: PlanNode): string | null {
  return 'store' in node && isTable(node) ? node.store : null;
}

/** The stores in which somebody looks who looks up rows of a table: its own, or those of the tables it is made of. */
export function storesBehind(table: string, nodeOf: (id: string) => PlanNode | undefined): readonly string[] {
  const stores: string[] = [];
  // Plans with faults are looked at too: one whose nodes go in a circle ends here.
  const seen = new Set<string>();
  const visit = (id: string): void => {
    const node = seen.has(id) ? undefined : nodeOf(id);
    seen.add(id);
    if (node === undefined || !putsOutChanges(node)) return;
    // what a buffer holds back is looked up there first, and in the table before it where it holds nothing
    const own = node.kind === 'suppressBuffer' ? node.store : ownStore(node);
    if (own !== null && !stores.includes(own)) stores.push(own);
    if (own !== null && node.kind !== 'suppressBuffer') return;
    if (node.kind !== 'joinForeign') for (const input of node.inputs) visit(input);
  };
  visit(table);
  return stores;
}

/**
 * The store of a table, or of the one that it is made of row by row; null where there is no single one. Whoever looks up
 * a row as it stood at a time looks into the history of this store.
 */
export function rowsBehind(table: string, nodeOf: (id: string) => PlanNode | undefined): string | null {
  const seen = new Set<string>();
  for (let id = table; !seen.has(id); ) {
    seen.add(id);
    const node = nodeOf(id);
    if (node === undefined) return null;
    const own = ownStore(node);
    if (own !== null || (node.kind !== 'filterTable' && node.kind !== 'mapTable')) return own;
    id = node.inputs[0] ?? id;
  }
  return null;
}
