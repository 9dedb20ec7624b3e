import { ByteWriter } from '../core/bytes.ts';
import { type BytesTable, PLAIN } from '../state/state.ts';
import { ForeignFanOut, LENGTH_BYTES } from './foreign-fan-out.ts';
import {
  ALWAYS,
  ARRIVE,
  askOf,
  FOREIGN_KEY,
  GONE,
  IF_FOUND,
  isLeaving,
  LEAVE,
  LEAVE_AND_ANSWER,
  LEAVE_TO_GO,
  LEAVE_TO_MOVE,
  leftKeyAt,
  MOVED,
  NOTHING,
  partitionOf,
  RIGHT_VALUE,
  writeAcknowledgement,
  writeAnswer,
} from './foreign-messages.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';
import { createTableReader } from './table-reader.ts';

/**
 * The right side of a foreign-key join: keeps who subscribes to which row. A subscription is answered with the row as it
 * is now, at the larger of both times; an update of a row goes to all who subscribe to it, at its own time, in the order
 * of their keys. An answer goes to the partition that subscribed, so the left table may lie by any partitioner. All that
 * is sent about one foreign key goes there in order, so who hears that a row has been unsubscribed has heard all else.
 */
export const createAnswerForeign: OperatorFactory<'answerForeign'> = (node, context, [next]) => {
  const table = context.table(node.store) as BytesTable;
  const { key: rightKey, value: leftKey } = context.storeSerdes(node.store);
  const leftView = shared(leftKey, `${node.id} key`, () => leftKey.view());
  const valueSerde = context.serde(node.value!);
  const valueView = shared(valueSerde, `${node.id} value`, () => valueSerde.view());
  const rightValue = context.serde(node.rightValue);
  const rows = createTableReader(context, node.inputs[1]!, `${node.id} row`);
  // what an answer without a value says
  const without = node.how === 'inner' ? FOREIGN_KEY : NOTHING;
  const key = new ByteWriter(64);
  const answer = new ByteWriter(256);
  const out = new Rec();
  const fanOut = new ForeignFanOut(context, node.store, rightValue, (record, row, leftStart) => {
    answer.clear();
    const content = record.valueStart >= 0 ? RIGHT_VALUE : without;
    writeAnswer(answer, row.bytes, row.start, content);
    if (content === RIGHT_VALUE) answer.copy(record.valueBytes, record.valueStart, record.valueEnd);
    else if (content === FOREIGN_KEY) answer.copy(row.key, row.keyStart + LENGTH_BYTES, leftStart);
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
      if (isLeaving(ask)) table.delete(PLAIN, key.bytes, 0, key.at);
      else table.put(PLAIN, key.bytes, 0, key.at, valueBytes, valueStart, leftStart, record.timestamp);
      if (ask !== LEAVE && ask !== LEAVE_TO_MOVE) row = rows.find(record);
    } else if (ask !== ALWAYS) {
      context.drop('null-key', record);
      return;
    }
    if (ask === LEAVE || (ask === IF_FOUND && row === null)) return;
    answer.clear();
    if (ask === LEAVE_TO_GO) writeAcknowledgement(answer, GONE);
    else if (ask === LEAVE_TO_MOVE) writeAcknowledgement(answer, MOVED);
    else if (ask === LEAVE_AND_ANSWER) writeAnswer(answer, valueBytes, valueStart, NOTHING);
    else {
      writeAnswer(answer, valueBytes, valueStart, row === null ? without : RIGHT_VALUE, ask === ARRIVE);
      if (row !== null) rightValue.encode(row, answer);
      else if (without === FOREIGN_KEY) answer.copy(key.bytes, LENGTH_BYTES, key.at - (valueEnd - leftStart));
    }
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
