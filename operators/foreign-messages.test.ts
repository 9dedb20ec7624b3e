import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import {
  ALWAYS,
  ARRIVE,
  ARRIVED,
  type Ask,
  acknowledgementOf,
  answersTo,
  askOf,
  type Content,
  contentAt,
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
  writeSubscription,
} from './foreign-messages.ts';

const HASH = Int32Array.of(1, -1, 0x01020304, 5);
const HASH_TEXT = '00000001ffffffff0102030400000005';

function subscription(ask: Ask, hash: Int32Array | undefined): Buffer {
  const out = new ByteWriter(1);
  writeSubscription(out, ask, 258, hash);
  out.text('key');
  return out.take();
}

function answer(to: Buffer, content: Content, text: string, arrival = false): Buffer {
  const out = new ByteWriter(1);
  writeAnswer(out, to, 0, content, arrival);
  out.text(text);
  return out.take();
}

function acknowledgement(what: typeof GONE | typeof MOVED): Buffer {
  const out = new ByteWriter(1);
  writeAcknowledgement(out, what);
  return out.take();
}

test('subscriptions of version 1', () => {
  assert.equal(subscription(ALWAYS, HASH).toString('hex'), `110000010201${HASH_TEXT}6b6579`);
  assert.equal(subscription(LEAVE, undefined).toString('hex'), '1200000102006b6579');
  assert.equal(subscription(LEAVE_TO_GO, undefined).toString('hex'), '1400000102006b6579');
  assert.equal(subscription(LEAVE_TO_MOVE, undefined).toString('hex'), '1500000102006b6579');
  assert.equal(subscription(ARRIVE, HASH).toString('hex'), `160000010201${HASH_TEXT}6b6579`);
  const asks: readonly Ask[] = [IF_FOUND, ALWAYS, LEAVE, LEAVE_AND_ANSWER, LEAVE_TO_GO, LEAVE_TO_MOVE, ARRIVE];
  assert.deepEqual(asks.filter(isLeaving), [LEAVE, LEAVE_AND_ANSWER, LEAVE_TO_GO, LEAVE_TO_MOVE]);
  for (const ask of asks) {
    for (const hash of [HASH, undefined]) {
      const bytes = Buffer.concat([Buffer.from([9, 9]), subscription(ask, hash)]);
      assert.equal(askOf(bytes, 2, bytes.length), ask);
      assert.equal(partitionOf(bytes, 2), 258);
      assert.equal(bytes.toString('utf8', leftKeyAt(bytes, 2)), 'key');
    }
  }
});

test('answers of version 1', () => {
  const hashed = subscription(ALWAYS, HASH);
  const bare = subscription(ALWAYS, undefined);
  assert.equal(answer(hashed, RIGHT_VALUE, 'v').toString('hex'), `13${HASH_TEXT}76`);
  assert.equal(answer(bare, NOTHING, '').toString('hex'), '10');
  assert.equal(answer(hashed, FOREIGN_KEY, 'k').toString('hex'), `15${HASH_TEXT}6b`);
  assert.equal(acknowledgement(GONE).toString('hex'), '18');
  assert.equal(acknowledgement(MOVED).toString('hex'), '19');
  for (const what of [GONE, MOVED] as const) assert.equal(acknowledgementOf(acknowledgement(what), 0, 1), what);
  for (const [content, hex] of [
    [RIGHT_VALUE, '1b'],
    [FOREIGN_KEY, '1d'],
  ] as const) {
    const arrived = answer(hashed, content, 'v', true);
    assert.equal(arrived.toString('hex'), `${hex}${HASH_TEXT}76`);
    assert.equal(acknowledgementOf(arrived, 0, arrived.length), ARRIVED);
    assert.equal(answersTo(arrived, 0, HASH), true);
    assert.equal(arrived.toString('utf8', contentAt(arrived, 0, content)), 'v');
  }
  const other = Int32Array.of(1, -1, 0x01020304, 6);
  for (const [content, text] of [
    [RIGHT_VALUE, ''],
    [RIGHT_VALUE, 'value'],
    [FOREIGN_KEY, ''],
    [FOREIGN_KEY, 'key'],
    [NOTHING, ''],
  ] as const) {
    const both = [answer(hashed, content, text), answer(bare, content, text)] as const;
    const fits = both.map((bytes) => [HASH, other, undefined].map((hash) => answersTo(bytes, 0, hash)));
    assert.deepEqual(fits, [
      [true, false, false],
      [false, false, true],
    ]);
    for (const bytes of both) {
      assert.equal(acknowledgementOf(bytes, 0, bytes.length), undefined);
      for (const kind of [RIGHT_VALUE, FOREIGN_KEY] as const) {
        const at = contentAt(bytes, 0, kind);
        assert.equal(at < 0 ? undefined : bytes.toString('utf8', at), kind === content ? text : undefined);
      }
    }
  }
});

test('what another version wrote is refused', () => {
  const refused = (thrown: Error) => isFlowError(thrown, 'schema.mismatch') && /reads version 1/.test(thrown.message);
  for (const hex of ['', '21', '2100000102006b6579', '1700000102006b6579', '110000']) {
    const bytes = Buffer.from(hex, 'hex');
    assert.throws(() => askOf(bytes, 0, bytes.length), refused, hex);
  }
  for (const hex of ['', '20', '16', '17', '1a', '1c', '1e', '1f']) {
    const bytes = Buffer.from(hex, 'hex');
    assert.throws(() => acknowledgementOf(bytes, 0, bytes.length), refused, hex);
  }
});
