import { ByteWriter } from '../core/bytes.ts';
import { type BytesTable, PLAIN } from '../state/state.ts';
import { ForeignFanOut } from './foreign-fan-out.ts';
import {
  ALWAYS,
  askOf,
  IF_FOUND,
  LEAVE,
  LEAVE_AND_ANSWER,
  leftKeyAt,
  partitionOf,
  writeAnswer,
} from './foreign-messages.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { createTableReader } from './table-reader.ts';

/**
 * The right side of a foreign-key join: keeps who subscribes to which row. A subscription is answered with the row as it
 * is now, at the larger of both times; an update of a row goes to all who subscribe to it, at its own time, in the order
 * of their keys. An answer goes to the partition that subscribed, so the left table may lie by any partitioner.
 */
export const createAnswerForeign: OperatorFactory<'answerForeign'> = (node, context, [next]) => {
  const table = context.table(node.store) as BytesTable;
  const { key: rightKey, value: leftKey } = context.storeSerdes(node.store);
  const leftView = shared(leftKey, `${node.id} key`, () => leftKey.view());
  const valueSerde = context.serde(node.value!);
  const valueView = shared(valueSerde, `${node.id} value`, () => valueSerde.view());
  const rightValue = context.serde(node.rightValue);
  const rows = createTableReader(context, node.inputs[1]!, `${node.id} row`);
  const key = new ByteWriter(64);
  const answer = new ByteWriter(256);
  const out = new Rec();
  const fanOut = new ForeignFanOut(context, node.store, rightValue, (record, row, leftStart) => {
    answer.clear();
    writeAnswer(answer, row.bytes, row.start, record.valueStart >= 0);
    if (record.valueStart >= 0) answer.copy(record.valueBytes, record.valueStart, record.valueEnd);
    out.takeOrigin(record);
    out.setKeyBytes(leftKey, leftView, row.key, leftStart, row.keyEnd);
    out.setValueBytes(valueSerde, valueView, answer.bytes, 0, answer.at);
    out.partition = partitionOf(row.bytes, row.start);
    next(out);
  });

  function subscribe(record: Rec): void {
    record.encodeValue(valueSerde);
    const { valueBytes, valueStart, valueEnd } = record;
    const ask = askOf(valueBytes, valueStart, valueEnd);
    const leftStart = leftKeyAt(valueBytes, valueStart);
    let row: unknown = null;
    if (!record.keyIsNull) {
      record.encodeKey(rightKey);
      key.clear();
      key.int32(record.keyEnd - record.keyStart);
      key.copy(record.keyBytes, record.keyStart, record.keyEnd);
      key.copy(valueBytes, leftStart, valueEnd);
      if (ask === LEAVE || ask === LEAVE_AND_ANSWER) table.delete(PLAIN, key.bytes, 0, key.at);
      else table.put(PLAIN, key.bytes, 0, key.at, valueBytes, valueStart, leftStart, record.timestamp);
      if (ask !== LEAVE) row = rows.find(record);
    } else if (ask !== ALWAYS) {
      context.drop('null-key', record);
      return;
    }
    if (ask === LEAVE || (ask === IF_FOUND && row === null)) return;
    const valued = row !== null && ask !== LEAVE_AND_ANSWER;
    answer.clear();
    writeAnswer(answer, valueBytes, valueStart, valued);
    if (valued) rightValue.encode(row, answer);
    out.takeOrigin(record);
    out.latest = true;
    if (row !== null && rows.timestamp > out.timestamp) out.timestamp = rows.timestamp;
    out.setKeyBytes(leftKey, leftView, valueBytes, leftStart, valueEnd);
    out.setValueBytes(valueSerde, valueView, answer.bytes, 0, answer.at);
    out.partition = partitionOf(valueBytes, valueStart);
    next(out);
  }

  function update(record: Rec): void {
    if (record.keyIsNull) {
      context.drop('null-key', record);
      return;
    }
    if (!record.latest) {
      context.drop('out-of-order', record);
      return;
    }
    record.encodeKey(rightKey);
    fanOut.take(record);
  }

  return { inputs: [subscribe, update], start: () => fanOut.resume() };
};
