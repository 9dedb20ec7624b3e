import { change, type Serde } from '../schemas/schemas.ts';
import { addRepartition } from './add-repartition.ts';
import type { NodeOf, PlanNode } from './plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import type { FilterTableOptions, GroupTableOptions, JoinTablesOptions, KeptRows } from './table-handles.ts';
import type { Lambda, Place, Stored } from './wire.ts';

type Kept = KeptRows<unknown>;

/** Where the rows of a table made of others lie: in a store named by the user, or nowhere. */
interface Rows {
  readonly id: string;
  readonly value: string | null;
  readonly store: string | null;
}

export function addFilterTable(
  builder: PlanBuilder,
  table: Place,
  lambda: Lambda,
  not: boolean,
  options: FilterTableOptions<unknown> = {},
): Stored {
  const { key, value: before } = builder.node(table.id);
  const { id, value, store } = rowsOf(builder, 'filterTable', table, before, options);
  const { deletions = 'known' } = options;
  const fn = builder.fn(id, 'fn', lambda);
  builder.add({ kind: 'filterTable', id, inputs: [table.id], key, value, fn, not, store, deletions });
  return { id, partitions: table.partitions, store };
}

export function addMapTable(builder: PlanBuilder, table: Place, lambda: Lambda, kept: Kept = {}): Stored {
  const { key } = builder.node(table.id);
  const { id, value, store } = rowsOf(builder, 'mapTable', table, null, kept);
  const fn = builder.fn(id, 'fn', lambda);
  builder.add({ kind: 'mapTable', id, inputs: [table.id], key, value, fn, store });
  return { id, partitions: table.partitions, store };
}

export function addJoinTables(
  builder: PlanBuilder,
  left: Place,
  right: Place,
  how: NodeOf<'joinTables'>['how'],
  options: JoinTablesOptions<Lambda, unknown>,
): Stored {
  const { key } = builder.node(left.id);
  const { id, value, store } = rowsOf(builder, 'joinTables', left, null, options, options.name);
  const merge = builder.fn(id, 'merge', options.merge);
  builder.add({ kind: 'joinTables', id, inputs: [left.id, right.id], key, value, how, merge, store });
  builder.looksUp(left.id, id);
  builder.looksUp(right.id, id);
  return { id, partitions: left.partitions, store };
}

/** Two nodes: the changes under their new keys, and their repartition. */
export function addGroupTable(
  builder: PlanBuilder,
  table: Place,
  lambda: Lambda,
  options: GroupTableOptions<unknown, unknown, number>,
): Place {
  const { name, partitions } = options;
  const grouped = builder.ids.unnamed('groupTable', table.id);
  const key = builder.serde(options.key);
  const value = builder.serde(change(options.value) as Serde<unknown>);
  const fn = builder.fn(grouped, 'fn', lambda);
  builder.add({ kind: 'groupTable', id: grouped, inputs: [table.id], key, value, fn });
  return { id: addRepartition(builder, grouped, name, partitions, { key, value }), partitions };
}

/** Names the node of a table made of others, and adds the store of its rows where there is one. */
export function rowsOf(
  builder: PlanBuilder,
  kind: 'filterTable' | 'mapTable' | 'joinTables' | 'joinForeign',
  table: Place,
  before: PlanNode['value'],
  kept: Kept,
  name: string | undefined = kept.store,
): Rows {
  const id = builder.ids.either(kind, name, table.id);
  const value = kept.value === undefined ? before : builder.serde(kept.value);
  if (kept.store === undefined) return { id, value, store: null };
  const { key } = builder.node(table.id);
  const store = { name: kept.store, kind: 'key-value', key: key ?? '', value: value ?? '', retentionMs: null } as const;
  builder.store(store, id);
  return { id, value, store: kept.store };
}
