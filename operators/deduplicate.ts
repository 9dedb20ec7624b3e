import { type Bytes, ByteWriter } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { CellTable } from '../state/state.ts';
import { takesValueAlone } from './functions.ts';
import type { OperatorContext, OperatorFactory } from './operators.ts';
import type { Rec } from './record.ts';
import { startBefore } from './windowed-keys.ts';

/** From the start of a pane to where none of its rows can matter, in spans. */
const KEPT_SPANS = 3;

/**
 * Passes the first record of a key, or of what `by` names within a key, and none like it that is less than `within`
 * away in time, before or after. Judged is by the records that passed. A record that is `within` or more behind the
 * clock cannot be judged, since what passed beside it may be forgotten: it is dropped as late.
 *
 * The time of what passed lies in a pane for each span of `within`. A pane has one row a key, since two that passed
 * are further apart than it is wide; so a look into three panes finds all that is near, and what is old goes a pane at
 * a time.
 */
export const createDeduplicate: OperatorFactory<'deduplicate'> = (node, context, [next]) => {
  const table = context.table(node.store) as CellTable;
  const within = node.withinMs;
  const clock = context.clock('clock');
  const identify = createIdentify(node.key!, node.by, node.id, context);
  let bytes: Bytes;
  let start = 0;
  let end = 0;

  const passedIn = (pane: Millis): boolean => table.find(pane, bytes, start, end);

  function forget(): void {
    while (table.firstPane + KEPT_SPANS * within <= clock.value) table.dropPane(table.firstPane);
  }

  return {
    time: forget,
    inputs: [
      (record) => {
        const at = record.timestamp;
        clock.see(at);
        forget();
        if (record.keyIsNull) {
          context.drop('null-key', record);
          return;
        }
        if (at + within <= clock.value) {
          context.drop('late', record);
          return;
        }
        ({ bytes, start, end } = identify(record));
        const pane = startBefore(at, within);
        const isNear = passedIn(pane) || isAfter(at - within, pane - within) || isBefore(at + within, pane + within);
        if (isNear) {
          context.drop('duplicate', record);
          return;
        }
        table.update(pane, bytes, start, end);
        table.cells[table.base] = at;
        table.cells[table.base - 1] = at;
        next!(record);
      },
    ],
  };

  function isAfter(time: Millis, pane: Millis): boolean {
    return pane >= 0 && passedIn(pane) && table.cells[table.base]! > time;
  }

  function isBefore(time: Millis, pane: Millis): boolean {
    return passedIn(pane) && table.cells[table.base]! < time;
  }
};

interface Range {
  readonly bytes: Bytes;
  readonly start: number;
  readonly end: number;
}

/** The key of a record's row; the answer is the same object, filled anew. */
function createIdentify(
  keyName: string,
  by: string | null,
  node: string,
  context: OperatorContext,
): (record: Rec) => Range {
  const serde = context.serde(keyName);
  const range = { bytes: Buffer.alloc(0) as Bytes, start: 0, end: 0 };
  if (by === null) {
    return (record) => {
      record.encodeKey(serde);
      range.bytes = record.keyBytes;
      range.start = record.keyStart;
      range.end = record.keyEnd;
      return range;
    };
  }
  const fn = context.fn<(value: unknown, key?: unknown) => unknown>('by', by);
  const withKey = !takesValueAlone(fn);
  const out = new ByteWriter(64);
  return (record) => {
    record.encodeKey(serde);
    const id = withKey ? fn(record.value, record.key) : fn(record.value);
    if (typeof id !== 'string') {
      throw new FlowError('record.failed', `the function by of ${node} answered ${String(id)}; answer a string`);
    }
    out.clear();
    out.int32(record.keyEnd - record.keyStart);
    out.copy(record.keyBytes, record.keyStart, record.keyEnd);
    out.text(id);
    range.bytes = out.bytes;
    range.end = out.at;
    return range;
  };
}
