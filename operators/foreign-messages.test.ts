import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import {
  ALWAYS,
  type Ask,
  answersTo,
  answerValueAt,
  askOf,
  IF_FOUND,
  LEAVE,
  LEAVE_AND_ANSWER,
  leftKeyAt,
  partitionOf,
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

function answer(to: Buffer, value: string | undefined): Buffer {
  const out = new ByteWriter(1);
  writeAnswer(out, to, 0, value !== undefined);
  if (value !== undefined) out.text(value);
  return out.take();
}

test('subscriptions of version 1', () => {
  assert.equal(subscription(ALWAYS, HASH).toString('hex'), `110000010201${HASH_TEXT}6b6579`);
  assert.equal(subscription(LEAVE, undefined).toString('hex'), '1200000102006b6579');
  for (const ask of [IF_FOUND, ALWAYS, LEAVE, LEAVE_AND_ANSWER] as const) {
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
  assert.equal(answer(hashed, 'v').toString('hex'), `13${HASH_TEXT}76`);
  assert.equal(answer(bare, undefined).toString('hex'), '10');
  const other = Int32Array.of(1, -1, 0x01020304, 6);
  for (const value of ['', 'value', undefined]) {
    const both = [answer(hashed, value), answer(bare, value)] as const;
    const fits = both.map((bytes) => [HASH, other, undefined].map((hash) => answersTo(bytes, 0, bytes.length, hash)));
    assert.deepEqual(fits, [
      [true, false, false],
      [false, false, true],
    ]);
    for (const bytes of both) {
      const at = answerValueAt(bytes, 0);
      assert.equal(at < 0 ? undefined : bytes.toString('utf8', at), value);
    }
  }
});

test('what another version wrote is refused', () => {
  const refused = (thrown: Error) => isFlowError(thrown, 'schema.mismatch') && /reads version 1/.test(thrown.message);
  for (const hex of ['', '21', '2100000102006b6579', '1400000102006b6579', '110000']) {
    const bytes = Buffer.from(hex, 'hex');
    assert.throws(() => askOf(bytes, 0, bytes.length), refused, hex);
  }
  for (const hex of ['', '20', '14']) {
    const bytes = Buffer.from(hex, 'hex');
    assert.throws(() => answersTo(bytes, 0, bytes.length, undefined), refused, hex);
  }
});
