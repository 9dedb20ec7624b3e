import { ByteWriter } from '../core/bytes.ts';
import type { Millis } from '../core/ids.ts';
import type { Scan, Table } from '../state/state.ts';
import type { NodeOf } from '../topology/plan.ts';
import type { OperatorContext } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { createWindowedKeys } from './windowed-keys.ts';

/** One row of a closed window, copied out of its table, and the record made of it. */
export interface FinalRow {
  /** Copies the row at which a scan of the pane stands. */
  take(pane: Millis, scan: Scan): void;
  /** The row as a record without headers, made anew at each call; its time is the row's. */
  record(): Rec;
}

export function createFinalRow(node: NodeOf<'aggregate'>, context: OperatorContext, table: Table): FinalRow {
  const { value: serde } = context.storeSerdes(node.store);
  const keys = createWindowedKeys(node, context, 'finals');
  const key = new ByteWriter(64);
  const place = `${node.id} final`;
  const value = table.kind === 'cells' ? cellsCopy(place, table.width, serde) : bytesCopy(place, serde);
  const out = new Rec();
  let own = 0;
  let timestamp = 0;
  return {
    take(pane, scan) {
      own = pane;
      timestamp = scan.timestamp;
      key.clear();
      key.copy(scan.key, scan.keyStart, scan.keyEnd);
      value.take(scan);
    },
    record() {
      out.timestamp = timestamp;
      out.bodyStart = -1;
      keys.set(out, own, key.bytes, 0, key.at);
      value.put(out);
      return out;
    },
  };
}

interface ValueCopy {
  take(scan: Scan): void;
  put(out: Rec): void;
}

type AnySerde = ReturnType<OperatorContext['storeSerdes']>['value'];

function cellsCopy(place: string, width: number, serde: AnySerde): ValueCopy {
  const row = new Float64Array(width);
  const rowAt = shared(serde, place, () => serde.cells!.row());
  return {
    take({ cells, base }) {
      for (let i = 0; i < width; i++) row[i] = cells[base + i]!;
    },
    put(out) {
      out.setValue(rowAt(row, 0));
    },
  };
}

function bytesCopy(place: string, serde: AnySerde): ValueCopy {
  const row = new ByteWriter(256);
  const view = shared(serde, place, () => serde.view());
  return {
    take(scan) {
      row.clear();
      row.copy(scan.bytes, scan.start, scan.end);
    },
    put(out) {
      out.setValueBytes(serde, view, row.bytes, 0, row.at);
    },
  };
}
