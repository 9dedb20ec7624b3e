import { createFixedCheck, takesKey } from './functions.ts';
import { NOWHERE } from './fuse.ts';
import { JoinBuffer } from './join-buffer.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { createTableReader } from './table-reader.ts';

type Merge = (left: unknown, right: unknown, key?: unknown) => unknown;

/**
 * Each record of the stream with the row of its key, as the table stands now, or stood at the record's time where the
 * table has a history; its time is the stream record's. Without a row an inner join is silent and a left join merges
 * with null. Records with a null value are dropped by both, those with a null key by the inner join alone (KIP-962):
 * they have no row, so the left join keeps them. Where `merge` answers the stream's value as it is, the record goes on
 * untouched.
 *
 * With grace, records wait in a {@link JoinBuffer}; one that is later than the grace, or has no key, is joined at once,
 * ahead of those that wait; where somebody listens for late records, the former are told there too, though none is
 * counted, since none is lost. What is dropped and updates of the table set nothing free: those that wait come out behind a
 * record that goes in.
 */
export const createJoinTable: OperatorFactory<'joinTable'> = (node, context, [next, late]) => {
  const merge = context.fn<Merge>('merge', node.merge);
  const mergesWithKey = takesKey(merge);
  const left = node.how === 'left';
  const rows = createTableReader(context, node.inputs[1]!, `${node.id} row`, 'record');
  const isFixed = createFixedCheck();
  const out = new Rec();

  function join(record: Rec): void {
    const right = record.keyIsNull ? null : rows.find(record);
    if (right === null && !left) return;
    const { value: own } = record;
    const value = mergesWithKey ? merge(own, right, record.key) : merge(own, right);
    if (value === own && isFixed(own)) {
      next!(record);
      return;
    }
    out.takeKey(record);
    out.setValue(value);
    next!(out);
  }

  /** Drops what no join takes. */
  function admit(record: Rec): boolean {
    if (record.valueIsNull) context.drop('null-value', record);
    else if (record.keyIsNull && !left) context.drop('null-key', record);
    else return true;
    return false;
  }

  const { grace } = node;
  if (grace === null) {
    const joinNow = (record: Rec) => {
      if (admit(record)) join(record);
    };
    return { inputs: [joinNow, NOWHERE] };
  }
  const buffer = new JoinBuffer(node.id, grace.buffer, grace.ms, context, join);
  const joinLater = (record: Rec) => {
    if (!admit(record)) return;
    if (record.keyIsNull) join(record);
    else if (!buffer.take(record)) {
      late?.(record);
      join(record);
    }
  };
  return {
    inputs: [joinLater, NOWHERE],
    start: () => buffer.release(),
    time: () => buffer.release(),
    held: () => buffer.held(),
    end: () => buffer.end(),
  };
};
