import { ByteWriter, equalBytes } from '../core/bytes.ts';
import { ALWAYS, type Ask, IF_FOUND, LEAVE, LEAVE_AND_ANSWER, writeSubscription } from './foreign-messages.ts';
import { type Fn, takesValueAlone } from './functions.ts';
import { createRecordHash } from './hashed-rows.ts';
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
 */
export const createSubscribeForeign: OperatorFactory<'subscribeForeign'> = (node, context, [next]) => {
  const fn = context.fn<Fn<unknown>>('foreignKey', node.foreignKey);
  const alone = takesValueAlone(fn);
  const [table] = node.inputs;
  const leftKey = context.serde(context.node(table!).key!);
  const keySerde = context.serde(node.key!);
  const keyView = shared(keySerde, `${node.id} key`, () => keySerde.view());
  const valueSerde = context.serde(node.value!);
  const valueView = shared(valueSerde, `${node.id} value`, () => valueSerde.view());
  const hashOf = createRecordHash(context, table!, node.leftValue);
  const oldKey = new ByteWriter(64);
  const newKey = new ByteWriter(64);
  const message = new ByteWriter(256);
  const out = new Rec();
  let hash: Int32Array | undefined;

  /** Puts the foreign key of a value down; false where it names none. */
  function encodeKey(value: unknown, record: Rec, into: ByteWriter): boolean {
    if (value === null) return false;
    const key = alone ? fn(value) : fn(value, record.key);
    if (key === null || key === undefined) return false;
    into.clear();
    keySerde.encode(key, into);
    return true;
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
        hash = value === null ? undefined : hashOf(record);
        if (node.how === 'left') {
          if (had && !same) send(record, oldKey, LEAVE);
          send(record, has ? newKey : undefined, ALWAYS);
          return;
        }
        if (!has) {
          if (value !== null) context.drop('null-key', record);
          if (had) send(record, oldKey, LEAVE_AND_ANSWER);
          return;
        }
        if (had && !same) send(record, oldKey, LEAVE);
        // only a row that moves may leave a result behind that nothing replaces
        send(record, newKey, had && !same ? ALWAYS : IF_FOUND);
      },
    ],
  };
};
