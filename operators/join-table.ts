import { readInt64 } from '../core/bytes.ts';
import type { Serde } from '../schemas/schemas.ts';
import { type BytesTable, type CellTable, PLAIN } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { createFixedCheck } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;
/** The row of a record's key, as a view valid until the next look; `undefined` where there is none. */
type Lookup = (record: Rec) => unknown;

/**
 * Each record of the stream with the row of its key, as the table stands now; its time is the stream record's.
 * Without a row an inner join is silent and a left join merges with null. Records with a null value are dropped by
 * both, those with a null key by the inner join alone (KIP-962): they have no row, so the left join keeps them.
 * Where `merge` answers the stream's value as it is, the record goes on untouched.
 */
export const createJoinTable: OperatorFactory<'joinTable'> = (node, context, [next]) => {
  const merge = context.fn<Merge>(node.merge);
  const mergesWithKey = merge.length === 0 || merge.length > 2;
  const left = node.how === 'left';
  const lookup = createLookup(node, context);
  const isFixed = createFixedCheck();
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        if (record.valueIsNull) {
          context.drop('null-value', record);
          return;
        }
        let right: unknown = null;
        if (!record.keyIsNull) {
          right = lookup(record) ?? null;
        } else if (!left) {
          context.drop('null-key', record);
          return;
        }
        if (right === null && !left) return;
        const { value: own } = record;
        const value = mergesWithKey ? merge(own, right, record.key) : merge(own, right);
        if (value === own && isFixed(own)) {
          next(record);
          return;
        }
        out.takeKey(record);
        out.setValue(value);
        next(out);
      },
      NOWHERE,
    ],
  };
};

function createLookup(node: NodeOf<'joinTable'>, context: OperatorContext): Lookup {
  const table = context.table(node.store);
  const { key: rowKey, value } = context.storeSerdes(node.store);
  const windowed = isWindowed(node.key) && !isWindowed(rowKey.name);
  const key = windowed ? context.serde(node.key!) : rowKey;
  const show = table.kind === 'bytes' ? showBytes(node.id, table, value) : copyCells(node.id, table, value);
  if (windowed) {
    return (record) => {
      record.encodeKey(key);
      const keyEnd = record.keyEnd - START_BYTES;
      const pane = readInt64(record.keyBytes, keyEnd);
      return table.find(pane, record.keyBytes, record.keyStart, keyEnd) ? show() : undefined;
    };
  }
  return (record) => {
    record.encodeKey(key);
    return table.find(PLAIN, record.keyBytes, record.keyStart, record.keyEnd) ? show() : undefined;
  };
}

/** Behind the key's bytes in a windowed key; rows of windowed aggregates lie by key and pane instead. */
const START_BYTES = 8;

function isWindowed(serde: string | null): boolean {
  return serde?.startsWith('windowed(') === true;
}

/** The row found, where it lies: it stays there until the step ends, however the table moves on. */
function showBytes(node: string, table: BytesTable, serde: Serde<unknown>): () => unknown {
  const view = shared(serde, `${node} row`, () => serde.view());
  return () => view(table.bytes, table.start, table.end);
}

/** A copy of the row found: what `merge` makes of it may look at it further down, when the row has changed. */
function copyCells(node: string, table: CellTable, serde: Serde<unknown>): () => unknown {
  const rowAt = shared(serde, `${node} row`, () => serde.cells!.row());
  const row = new Float64Array(table.width);
  return () => {
    const { cells, base } = table;
    for (let i = 0; i < row.length; i++) row[i] = cells[base + i]!;
    return rowAt(row, 0);
  };
}
