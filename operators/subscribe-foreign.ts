import { ByteWriter, equalBytes } from '../core/bytes.ts';
import { partitionForKey } from '../log/log.ts';
import { createForeignKey } from './foreign-key.ts';
import {
  ALWAYS,
  ARRIVE,
  type Ask,
  IF_FOUND,
  LEAVE,
  LEAVE_TO_GO,
  LEAVE_TO_MOVE,
  writeSubscription,
} from './foreign-messages.ts';
import { createRecordHash } from './hashed-rows.ts';
import { createLeavings } from './leavings.ts';
import { tellsInitial } from './olds.ts';
import type { OperatorFactory } from './operators.ts';
import { Rec } from './record.ts';
import { shared } from './shared.ts';

/**
 * Tells the right side of a foreign-key join what becomes of the rows of the left table. A row subscribes to the right
 * row that it names, anew with each update, since a subscription carries the hash of the left value. Where the foreign
 * key has changed the old one is unsubscribed first: the new one may lie on another partition.
 *
 * In an inner join a row that names none is dropped and counted, and one that was there before is unsubscribed. In a
 * left join it is sent without a key, and so is a deletion, so that each change is answered, and in one way.
 *
 * An inner join asks for no answer where a right row is not there, since most rows then have no result that it would
 * delete. A row that may have one asks: one that moves, and one that left a foreign key of which the right side has not
 * said yet that it is done, since its answers from before may be on their way. Each leaving is counted until then. Where
 * the old and the new key lie in one partition, the answer about the new one says so; else the old one's task does.
 */
export const createSubscribeForeign: OperatorFactory<'subscribeForeign'> = (node, context, [next]) => {
  const [table] = node.inputs;
  const leftKey = context.serde(context.node(table!).key!);
  const keySerde = context.serde(node.key!);
  const keyView = shared(keySerde, `${node.id} key`, () => keySerde.view());
  const encodeKey = createForeignKey(context, node.foreignKey, keySerde);
  const valueSerde = context.serde(node.value!);
  const valueView = shared(valueSerde, `${node.id} value`, () => valueSerde.view());
  const hashOf = createRecordHash(context, table!, node.leftValue);
  const leavings = node.how === 'inner' ? createLeavings(context, node.id, node.leavings) : undefined;
  // then a row that was gone, and so may have a result, looks like one that stays
  const mayLookPresent = tellsInitial(table!, (id) => context.node(id));
  const oldKey = new ByteWriter(64);
  const newKey = new ByteWriter(64);
  const message = new ByteWriter(256);
  const out = new Rec();
  let hash: Int32Array | undefined;

  /** Whether both keys lie in one partition, as far as the plan tells. */
  function together(): boolean {
    const { partitions } = node;
    if (partitions === undefined || partitions === 1) return partitions === 1;
    const of = ({ bytes, at }: ByteWriter) => partitionForKey(bytes, 0, at, partitions);
    return of(oldKey) === of(newKey);
  }

  function send(record: Rec, key: ByteWriter | undefined, ask: Ask): void {
    message.clear();
    writeSubscription(message, ask, context.partition, hash);
    record.encodeKey(leftKey);
    message.copy(record.keyBytes, record.keyStart, record.keyEnd);
    out.takeOrigin(record);
    if (key === undefined) out.setKey(null);
    else out.setKeyBytes(keySerde, keyView, key.bytes, 0, key.at);
    out.setValueBytes(valueSerde, valueView, message.bytes, 0, message.at);
    next(out);
  }

  return {
    inputs: [
      (record) => {
        if (!record.latest) {
          context.drop('out-of-order', record);
          return;
        }
        const { value, old } = record;
        if (value === null && old === null) return;
        const had = encodeKey(old, record, oldKey);
        const has = encodeKey(value, record, newKey);
        const same = had && has && equalBytes(oldKey.bytes, 0, oldKey.at, newKey.bytes, 0, newKey.at);
        if (leavings === undefined) {
          hash = value === null ? undefined : hashOf(record);
          if (had && !same) send(record, oldKey, LEAVE);
          send(record, has ? newKey : undefined, ALWAYS);
          return;
        }
        hash = undefined;
        if (!has && value !== null) context.drop('null-key', record);
        const moves = had && has && !same;
        const near = moves && together();
        if (moves || (had && !has)) {
          leavings.leave(record);
          send(record, oldKey, near ? LEAVE : moves ? LEAVE_TO_MOVE : LEAVE_TO_GO);
        }
        if (!has) return;
        hash = hashOf(record);
        if (near) {
          send(record, newKey, ARRIVE);
          return;
        }
        const asks = moves || ((!had || mayLookPresent) && leavings.pending(record));
        send(record, newKey, asks ? ALWAYS : IF_FOUND);
      },
    ],
  };
};
