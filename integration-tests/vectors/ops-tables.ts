import { string, type Windowed } from '../../schemas/schemas.ts';
import type { GroupedTable, Table } from '../../topology/topology.ts';
import type { Build, OpTable, Statement, TableMade, Text } from './op.ts';
import { OPS_BASIC, table } from './ops-basic.ts';
import { filterLineage, follow, lineageOf, madeOf, unnamedLineage, wasAsked } from './table-lineage.ts';
import { joined, predicateOf, text, textFunctionOf } from './text-functions.ts';

type AnyTable = Table<string | Windowed<string>, Text, 1>;
type Group = GroupedTable<string, Text, 1>;

/**
 * Filters, maps and joins of tables, and their aggregates with adder and subtractor. Rows that answer nothing only
 * follow what their statement does to tables; this group is asked first.
 */
export const OPS_TABLES: OpTable = {
  table(statement, build) {
    const made = OPS_BASIC['table']!(statement, build);
    return made && statement.store === undefined ? follow(made, unnamedLineage(statement)) : made;
  },
  filter(statement, build) {
    const from = updatable(statement, build);
    if (from === undefined) return undefined;
    const deletions = wasAsked(statement) ? 'known' : 'all';
    const options = { ...storeOf(statement), deletions } as const;
    const made = table(anyTable(from).filter(predicateOf(statement.pred), options), from.keys);
    return follow(made, filterLineage(statement, lineageOf(from)));
  },
  mapValues(statement, build) {
    const from = updatable(statement, build);
    if (from === undefined) return undefined;
    const options = { ...storeOf(statement), value: string() };
    const handle = from.handle as Table<string, unknown, 1>;
    const made = table(handle.mapValues(textFunctionOf(statement.fn), options), from.keys);
    return follow(made, madeOf([lineageOf(from)], statement.store, false));
  },
  groupBy(statement, build) {
    const from = updatable(statement, build);
    if (from === undefined) return undefined;
    const key = textFunctionOf(statement.keyFn);
    const value = textFunctionOf(statement.valueFn);
    lineageOf(from).send(true);
    return {
      kind: 'tableGroup',
      keys: build.plain,
      group: (store) =>
        anyTable(from).groupBy((row, at) => [key(row, at), value(row, at)], {
          ...{ name: statement.name ?? store, partitions: 1, value: build.text },
          key: build.plain.serde,
        }),
    };
  },
  aggregate(statement, build) {
    const from = build.find('tableGroup', statement.from);
    if (from === undefined) return undefined;
    const store = build.name(statement);
    return table(aggregated(from.group(store) as Group, statement, build, store), from.keys);
  },
  joinTT(statement, build) {
    const from = build.get('table', statement.from);
    const other = build.get('table', statement.with);
    const options = { ...storeOf(statement), name: build.name(statement), merge: joined, value: string() };
    const [left, right] = [anyTable(from), anyTable(other)];
    const sides = [lineageOf(from), lineageOf(other)] as const;
    if (statement.type !== 'inner') sides[0].send(true);
    if (statement.type === 'outer') sides[1].send(true);
    for (const side of sides) side.look();
    const how = { inner: 'joinTable', left: 'leftJoinTable', outer: 'outerJoinTable' } as const;
    const join = how[statement.type as keyof typeof how];
    const made = table(left[join](right as never, options as never), from.keys);
    return follow(made, madeOf(sides, statement.store, true));
  },
  toTable(statement, build) {
    const from = build.get('stream', statement.from);
    const settled = build.settle(from, build.name(statement)).mapValues(text);
    return table(settled.toTable({ store: build.name(statement), value: string() }), from.keys);
  },
  joinST(statement, build) {
    lineageOf(build.made(statement.with)).look();
    return undefined;
  },
  suppress(statement, build) {
    lineageOf(build.made(statement.from)).send(true);
    return undefined;
  },
};

/** The table that a statement takes; final results of windows have rows, but no updates. */
function updatable(statement: Statement, build: Build): TableMade | undefined {
  const from = build.find('table', statement.from);
  return from !== undefined && 'filter' in from.handle ? from : undefined;
}

function anyTable(made: TableMade): AnyTable {
  return made.handle as unknown as AnyTable;
}

function storeOf({ store }: Statement): { readonly store?: string } {
  return store === undefined ? {} : { store };
}

function aggregated(group: Group, { kind }: Statement, { text: value }: Build, store: string): unknown {
  const add = (aggregate: Text, row: Text) => `${aggregate}+${text(row)}`;
  const subtract = (aggregate: Text, row: Text) => `${aggregate}-${text(row)}`;
  switch (kind) {
    case 'count':
      return group.count({ store });
    case 'reduce':
      return group.reduce({ store, value, add, subtract });
    case 'aggregate':
      return group.aggregate({ store, value, initial: (): Text => '0', add, subtract });
    default:
      throw new Error(`unknown kind of aggregate: ${kind}`);
  }
}
