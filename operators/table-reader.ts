import { assert } from '../core/assert.ts';
import type { Millis } from '../core/ids.ts';
import { BufferedRow } from '../schemas/schemas.ts';
import { PLAIN } from '../state/state.ts';
import { type NodeOf, ownStore } from '../topology/plan.ts';
import { type Fn, takesKey, takesValueAlone } from './functions.ts';
import type { OperatorContext } from './operators.ts';
import type { Rec } from './record.ts';
import { createRowReader, type Moment, type RowReader } from './row-reader.ts';
import { shared } from './shared.ts';

/**
 * Looks up rows of any table of the stage. A table that keeps no rows is asked through the tables it is made of, so that
 * what is found is what they say now; its row has their time. `place` is where the rows are shown; see `shared.ts`.
 * A table with history, and one that is made row by row of such a one, can be asked for the record's moment instead.
 */
export function createTableReader(
  context: OperatorContext,
  table: string,
  place: string,
  moment: Moment = 'now',
): RowReader {
  const node = context.node(table);
  const store = ownStore(node);
  if (store !== null) return createRowReader(context, store, node.key, place, moment);
  switch (node.kind) {
    case 'filterTable':
      return filtered(node, context, createTableReader(context, node.inputs[0]!, place, moment));
    case 'mapTable':
      return mapped(node, context, createTableReader(context, node.inputs[0]!, place, moment));
    case 'suppressBuffer':
      return held(node, context, place);
    default:
      assert(node.kind === 'joinTables', () => `${table} is no table, and has no rows`);
      return joined(node, context, place);
  }
}

function filtered(node: NodeOf<'filterTable'>, context: OperatorContext, rows: RowReader): RowReader {
  const fn = context.fn<Fn<unknown>>('fn', node.fn, node);
  const alone = takesValueAlone(fn);
  return {
    find(record) {
      const row = rows.find(record);
      if (row === null) return null;
      return !(alone ? fn(row) : fn(row, record.key)) === node.not ? row : null;
    },
    get timestamp() {
      return rows.timestamp;
    },
  };
}

function mapped(node: NodeOf<'mapTable'>, context: OperatorContext, rows: RowReader): RowReader {
  const fn = context.fn<Fn<unknown>>('fn', node.fn, node);
  const alone = takesValueAlone(fn);
  return {
    find(record) {
      const row = rows.find(record);
      return row === null ? null : ((alone ? fn(row) : fn(row, record.key)) ?? null);
    },
    get timestamp() {
      return rows.timestamp;
    },
  };
}

/** Where updates are held back: what was let out last, of no known time. Else there are none since, and the table tells. */
function held(node: NodeOf<'suppressBuffer'>, context: OperatorContext, place: string): RowReader {
  const rows = createTableReader(context, node.inputs[0]!, place);
  const buffer = context.table(node.store);
  assert(buffer.kind === 'bytes', () => `store ${node.store} holds bytes`);
  const { key: keySerde } = context.storeSerdes(node.store);
  const valueSerde = context.serde(node.value!);
  const view = shared(valueSerde, `${place} held`, () => valueSerde.view());
  const row = new BufferedRow();
  const reader = {
    timestamp: 0,
    find(record: Rec) {
      record.encodeKey(keySerde);
      if (!buffer.find(PLAIN, record.keyBytes, record.keyStart, record.keyEnd)) {
        const found = rows.find(record);
        reader.timestamp = rows.timestamp;
        return found;
      }
      row.read(buffer.bytes, buffer.start, buffer.end);
      reader.timestamp = UNKNOWN;
      return row.priorStart < 0 ? null : view(row.bytes, row.priorStart, row.priorEnd);
    },
  };
  return reader;
}

/** Before any time there is. */
const UNKNOWN: Millis = -1;

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

function joined(node: NodeOf<'joinTables'>, context: OperatorContext, place: string): RowReader {
  const merge = context.fn<Merge>('merge', node.merge, node);
  const withKey = takesKey(merge);
  const lefts = createTableReader(context, node.inputs[0]!, `${place} left`);
  const rights = createTableReader(context, node.inputs[1]!, `${place} right`);
  let timestamp: Millis = 0;
  return {
    find(record: Rec) {
      const left = lefts.find(record);
      if (left === null && node.how !== 'outer') return null;
      const right = rights.find(record);
      if (right === null && (left === null || node.how === 'inner')) return null;
      timestamp = Math.max(left === null ? -1 : lefts.timestamp, right === null ? -1 : rights.timestamp);
      return (withKey ? merge(left, right, record.key) : merge(left, right)) ?? null;
    },
    get timestamp() {
      return timestamp;
    },
  };
}
