import type { Millis } from '../core/ids.ts';
import { type BytesTable, type CellTable, PLAIN } from '../state/state.ts';
import { takesKey } from './functions.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { startBefore } from './windowed-keys.ts';

type Fn = (value: unknown, previous: unknown, key?: unknown) => unknown;

/** From the start of a pane to where none of its rows can be a previous record, in spans. */
const KEPT_SPANS = 3;

/**
 * For each record of a key what `fn` makes of it and of the previous one, with its time; nothing for the first. The
 * previous is that before it in time: a record older than the newest of its key is dropped as late. With `within`, a
 * previous record that is that old or older is forgotten, and then a record is a first one again.
 *
 * The newest record of a key is one row. With `within` it lies in a pane for its span of time, so that what is
 * forgotten goes a pane at a time. Kept are the panes from the second one before that of the clock on, since a record may
 * be a span behind the clock, and its previous one a span behind that.
 */
export const createDifference: OperatorFactory<'difference'> = (node, context, [next]) => {
  const fn = context.fn<Fn>('fn', node.fn);
  const withKey = takesKey(fn);
  const newest = createNewest(node.id, node.store, context);
  const within = node.withinMs;
  const { key: keySerde } = context.storeSerdes(node.store);
  const clock = context.clock('clock');
  const out = new Rec();

  /** The pane in which the newest record of the key lies, or NaN. */
  function paneOf(record: Rec): Millis {
    const panes = newest.panes();
    for (let i = panes.length - 1; i >= 0; i--) if (newest.find(panes[i]!, record)) return panes[i]!;
    return Number.NaN;
  }

  function forget(): void {
    if (within !== null) newest.dropBefore(clock.value - KEPT_SPANS * within);
  }

  return {
    time: forget,
    inputs: [
      (record) => {
        const at = record.timestamp;
        clock.see(at);
        forget();
        if (record.keyIsNull || record.valueIsNull) {
          context.drop(record.keyIsNull ? 'null-key' : 'null-value', record);
          return;
        }
        if (within !== null && at + within <= clock.value) {
          context.drop('late', record);
          return;
        }
        record.encodeKey(keySerde);
        const pane = paneOf(record);
        const found = !Number.isNaN(pane);
        if (found && newest.timestamp > at) {
          context.drop('late', record);
          return;
        }
        const isFirst = !found || (within !== null && newest.timestamp + within <= at);
        const previous = isFirst ? undefined : newest.show();
        const target = within === null ? PLAIN : startBefore(at, within);
        if (found && pane !== target) newest.delete(pane, record);
        newest.put(target, record);
        if (isFirst) return;
        out.takeKey(record);
        out.setValue(withKey ? fn(record.value, previous, record.key) : fn(record.value, previous));
        next!(out);
      },
    ],
  };
};

/** The newest record of each key, in either form of table. */
interface Newest {
  /** Those that have rows, ascending. */
  panes(): readonly Millis[];
  find(pane: Millis, record: Rec): boolean;
  /** Of what was found, as is its value: good until the step ends, whatever is put. */
  readonly timestamp: Millis;
  show(): unknown;
  put(pane: Millis, record: Rec): void;
  delete(pane: Millis, record: Rec): void;
  /** Drops panes that start at this time or before. */
  dropBefore(start: Millis): void;
}

function createNewest(node: string, store: string, context: OperatorContext): Newest {
  const table = context.table(store);
  const { value } = context.storeSerdes(store);
  const form = table.kind === 'bytes' ? inBytes(node, table, value) : inCells(node, table, value);
  return Object.assign(form, {
    panes: () => table.panes(),
    find: (pane: Millis, record: Rec) => table.find(pane, record.keyBytes, record.keyStart, record.keyEnd),
    delete: (pane: Millis, record: Rec) => table.delete(pane, record.keyBytes, record.keyStart, record.keyEnd),
    dropBefore(start: Millis) {
      while (table.firstPane <= start) table.dropPane(table.firstPane);
    },
  });
}

type Form = Pick<Newest, 'timestamp' | 'show' | 'put'>;
type AnySerde = ReturnType<OperatorContext['storeSerdes']>['value'];

function inBytes(node: string, table: BytesTable, serde: AnySerde): Form {
  const view = shared(serde, `${node} previous`, () => serde.view());
  return {
    get timestamp() {
      return table.timestamp;
    },
    show: () => view(table.bytes, table.start, table.end),
    put(pane, record) {
      record.encodeValue(serde);
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record;
      table.put(pane, keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, record.timestamp);
    },
  };
}

/** A row of cells is copied, since the next one is written where it lies. */
function inCells(node: string, table: CellTable, serde: AnySerde): Form {
  const codec = serde.cells!;
  const rowAt = shared(serde, `${node} previous`, () => codec.row());
  const row = new Float64Array(table.width);
  return {
    get timestamp() {
      return table.cells[table.base - 1]!;
    },
    show() {
      for (let i = 0; i < row.length; i++) row[i] = table.cells[table.base + i]!;
      return rowAt(row, 0);
    },
    put(pane, record) {
      record.encodeValue(serde);
      table.update(pane, record.keyBytes, record.keyStart, record.keyEnd);
      codec.decode(record.valueBytes, record.valueStart, record.valueEnd, table.cells, table.base);
      table.cells[table.base - 1] = record.timestamp;
    },
  };
}
