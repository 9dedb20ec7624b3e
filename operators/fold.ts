import { ByteWriter } from '../core/bytes.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { BytesTable, CellTable } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { plusOne, takesKey, zero } from './functions.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { shared } from './shared.ts';

/**
 * Adds a record, whose key lies encoded in the store's format, to its row in a pane, and puts the row's new value
 * and time (the largest that went into it) into `out`. A null aggregate deletes the row. What `out` holds is a copy:
 * it stays as it is while the table moves on. Where somebody asks for it, `out.old` is the value before; of a row that
 * was not there it is the initial value, as Kafka Streams has it, or null where there is no such.
 */
export type Fold = (pane: number, record: Rec, out: Rec) => void;

type Add = (aggregate: unknown, value: unknown, key?: unknown) => unknown;

/** Where `updates` are not wanted, `out` is left alone. */
export function createFold(node: NodeOf<'aggregate'>, context: OperatorContext, updates: boolean): Fold {
  const table = context.table(node.store);
  const { value: serde } = context.storeSerdes(node.store);
  const add = node.add === null ? plusOne : context.fn<Add>('add', node.add);
  const olds = context.wantsOld;
  if (node.how === 'count' && table.kind === 'cells') return countCells(table, updates, olds);
  const initial =
    node.how === 'count'
      ? zero
      : node.initial === null
        ? undefined
        : context.fn<() => unknown>('initial', node.initial);
  return table.kind === 'cells'
    ? foldCells(node.id, table, serde, initial, add, updates, olds)
    : foldBytes(node.id, table, serde, initial, add, olds);
}

/** The fastest: one number a row, changed where it lies. */
function countCells(table: CellTable, updates: boolean, olds: boolean): Fold {
  return (pane, record, out) => {
    table.update(pane, record.keyBytes, record.keyStart, record.keyEnd);
    const { cells, base } = table;
    const count = cells[base]! + 1;
    cells[base] = count;
    if (record.timestamp > cells[base - 1]!) cells[base - 1] = record.timestamp;
    if (!updates) return;
    out.timestamp = cells[base - 1]!;
    if (olds) out.old = count - 1;
    out.setValue(count);
  };
}

/** Without `initial` (reduce) the first value of a key is its row. */
function foldCells(
  node: string,
  table: CellTable,
  serde: Serde<unknown>,
  initial: (() => unknown) | undefined,
  add: Add,
  updates: boolean,
  olds: boolean,
): Fold {
  const codec = serde.cells!;
  const rowAt = shared(serde, `${node} row`, () => codec.row());
  const copy = new Float64Array(table.width);
  const copyAt = shared(serde, `${node} update`, () => codec.row());
  const before = new Float64Array(table.width);
  const beforeAt = shared(serde, `${node} old`, () => codec.row());
  const withKey = takesKey(add);
  return (pane, record, out) => {
    const { keyBytes, keyStart, keyEnd } = record;
    const found = table.update(pane, keyBytes, keyStart, keyEnd);
    const { cells, base } = table;
    if (record.timestamp > cells[base - 1]!) cells[base - 1] = record.timestamp;
    out.timestamp = cells[base - 1]!;
    let result: unknown;
    if (!found && initial === undefined) result = record.value;
    else {
      if (!found) codec.store(initial!(), cells, base);
      if (olds) for (let i = 0; i < before.length; i++) before[i] = cells[base + i]!;
      const row = rowAt(cells, base);
      result = withKey ? add(row, record.value, record.key) : add(row, record.value);
      if (result === row) result = undefined;
    }
    if (olds) out.old = found || initial !== undefined ? beforeAt(before, 0) : null;
    if (result === null) {
      table.delete(pane, keyBytes, keyStart, keyEnd);
      out.setValue(null);
      return;
    }
    if (result !== undefined) codec.store(result, cells, base);
    if (!updates) return;
    for (let i = 0; i < copy.length; i++) copy[i] = cells[base + i]!;
    out.setValue(copyAt(copy, 0));
  };
}

/** The row is decoded afresh, so that user code may change it in place. */
function foldBytes(
  node: string,
  table: BytesTable,
  serde: Serde<unknown>,
  initial: (() => unknown) | undefined,
  add: Add,
  olds: boolean,
): Fold {
  const view = shared(serde, `${node} update`, () => serde.view());
  const before = shared(serde, `${node} old`, () => serde.view());
  const row = new ByteWriter(256);
  const withKey = takesKey(add);
  return (pane, record, out) => {
    const { keyBytes, keyStart, keyEnd } = record;
    const found = table.find(pane, keyBytes, keyStart, keyEnd);
    if (olds) {
      if (found) out.old = before(table.bytes, table.start, table.end);
      else out.old = initial === undefined ? null : initial();
    }
    const timestamp = found ? Math.max(table.timestamp, record.timestamp) : record.timestamp;
    let result: unknown;
    if (!found && initial === undefined) result = record.value;
    else {
      const old = found ? serde.read(table.bytes, table.start, table.end) : initial!();
      result = withKey ? add(old, record.value, record.key) : add(old, record.value);
      if (result === undefined) result = old;
    }
    out.timestamp = timestamp;
    if (result === null) {
      table.delete(pane, keyBytes, keyStart, keyEnd);
      out.setValue(null);
      return;
    }
    row.clear();
    serde.encode(result, row);
    table.put(pane, keyBytes, keyStart, keyEnd, row.bytes, 0, row.at, timestamp);
    out.setValueBytes(serde, view, row.bytes, 0, row.at);
  };
}
