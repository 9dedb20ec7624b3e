import { ByteWriter } from '../core/bytes.ts';
import type { Change, Serde } from '../schemas/schemas.ts';
import { type BytesTable, type CellTable, PLAIN } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import { plusOne, takesKey, zero } from './functions.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

/**
 * Count, reduce and aggregate of a grouped table. A change first takes its old value from the row, if there is a row,
 * then adds its new one; the row's time is the largest that went into it. A row that comes out as null is deleted, and
 * a change that leaves no row is passed on as a deletion. A count that falls to 0 stays.
 */
export const createAggregateTable: OperatorFactory<'aggregateTable'> = (node, context, [next]) => {
  const table = context.table(node.store);
  const { key: keySerde, value: valueSerde } = context.storeSerdes(node.store);
  const change = createChange(node, context);
  const asked = context.wantsOld;
  const write =
    table.kind === 'cells'
      ? writeCells(node.id, table, valueSerde, change, asked)
      : writeBytes(node.id, table, valueSerde, change, asked);
  const out = new Rec();
  return {
    inputs: [
      (record) => {
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        record.encodeKey(keySerde);
        out.takeKey(record);
        out.latest = true;
        write(record, out);
        next(out);
      },
    ],
  };
};

/** What a change makes of a row; `undefined` is no row. It may change the row it is given, and answer it. */
type Apply = (row: unknown, record: Rec) => unknown;

type Adder = (aggregate: unknown, value: unknown, key?: unknown) => unknown;

function createChange(node: NodeOf<'aggregateTable'>, context: OperatorContext): Apply {
  const add = node.add === null ? plusOne : context.fn<Adder>('add', node.add);
  const subtract = node.subtract === null ? minusOne : context.fn<Adder>('subtract', node.subtract);
  const initial =
    node.how === 'count'
      ? zero
      : node.initial === null
        ? undefined
        : context.fn<() => unknown>('initial', node.initial);
  const run = (adder: Adder, row: unknown, value: unknown, record: Rec): unknown => {
    const result = takesKey(adder) ? adder(row, value, record.key) : adder(row, value);
    return result === undefined ? row : (result ?? undefined);
  };
  return (row, record) => {
    const { oldValue, newValue } = record.value as Change<unknown>;
    let result = row;
    if (oldValue !== null && result !== undefined) result = run(subtract, result, oldValue, record);
    if (newValue === null) return result;
    if (result === undefined && initial === undefined) return newValue;
    return run(add, result === undefined ? initial!() : result, newValue, record);
  };
}

const minusOne = (count: unknown): number => (count as number) - 1;

/** Changes the row of the record's key, and puts the row's new value and time into `out`. */
type Write = (record: Rec, out: Rec) => void;

function writeCells(node: string, table: CellTable, serde: Serde<unknown>, apply: Apply, asked: boolean): Write {
  const codec = serde.cells!;
  const rowAt = shared(serde, `${node} row`, () => codec.row());
  const before = new Float64Array(table.width);
  const beforeAt = shared(serde, `${node} old`, () => codec.row());
  const copy = new Float64Array(table.width);
  const copyAt = shared(serde, `${node} update`, () => codec.row());
  return (record, out) => {
    const { keyBytes, keyStart, keyEnd } = record;
    const found = table.update(PLAIN, keyBytes, keyStart, keyEnd);
    const { cells, base } = table;
    if (record.timestamp > cells[base - 1]!) cells[base - 1] = record.timestamp;
    out.timestamp = cells[base - 1]!;
    if (asked) {
      for (let i = 0; i < before.length; i++) before[i] = cells[base + i]!;
      out.old = found ? beforeAt(before, 0) : null;
    }
    const row = found ? rowAt(cells, base) : undefined;
    const result = apply(row, record);
    if (result === undefined) {
      table.delete(PLAIN, keyBytes, keyStart, keyEnd);
      out.setValue(null);
      return;
    }
    if (result !== row) codec.store(result, cells, base);
    for (let i = 0; i < copy.length; i++) copy[i] = cells[base + i]!;
    out.setValue(copyAt(copy, 0));
  };
}

/** The row is decoded afresh, so that user code may change it in place. */
function writeBytes(node: string, table: BytesTable, serde: Serde<unknown>, apply: Apply, asked: boolean): Write {
  const view = shared(serde, `${node} update`, () => serde.view());
  const before = shared(serde, `${node} old`, () => serde.view());
  const scratch = new ByteWriter(256);
  return (record, out) => {
    const { keyBytes, keyStart, keyEnd } = record;
    const found = table.find(PLAIN, keyBytes, keyStart, keyEnd);
    const timestamp = found ? Math.max(table.timestamp, record.timestamp) : record.timestamp;
    const { bytes, start, end } = table;
    const result = apply(found ? serde.read(bytes, start, end) : undefined, record);
    out.timestamp = timestamp;
    if (asked) out.old = found ? before(bytes, start, end) : null;
    if (result === undefined) {
      table.delete(PLAIN, keyBytes, keyStart, keyEnd);
      out.setValue(null);
      return;
    }
    scratch.clear();
    serde.encode(result, scratch);
    table.put(PLAIN, keyBytes, keyStart, keyEnd, scratch.bytes, 0, scratch.at, timestamp);
    out.setValueBytes(serde, view, scratch.bytes, 0, scratch.at);
  };
}
