import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFlowError } from '../../core/errors.ts';
import { AnswerPool } from './answer-pool.ts';
import { Frames } from './frames.ts';

/** Receives a stream in pieces of the sizes given, as a socket would: never more than the target holds. */
function receive(frames: Frames, stream: Buffer, sizes: readonly number[]): void {
  for (let at = 0, i = 0; at < stream.length; i++) {
    const target = frames.target();
    const count = Math.min(sizes[i % sizes.length]!, target.length, stream.length - at);
    stream.copy(target, 0, at, at + count);
    frames.take(count, target);
    at += count;
  }
}

function framed(body: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}

test('frames come out whole and in order, however the stream is cut', () => {
  const body = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 40 }),
    fc.uint8Array({ minLength: 4, maxLength: 200_000 }),
  );
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.array(body, { maxLength: 6 }), sizes, (bodies, cuts) => {
      const pool = new AnswerPool();
      const got: Buffer[] = [];
      const frames = new Frames(pool, (bytes, size) => {
        got.push(Buffer.from(bytes.subarray(0, size)));
        pool.giveBack(bytes);
      });
      receive(frames, Buffer.concat(bodies.map((one) => framed(Buffer.from(one)))), cuts);
      assert.deepEqual(
        got,
        bodies.map((one) => Buffer.from(one)),
      );
    }),
    { seed: 11, numRuns: 60 },
  );
});

test('the rest of a large frame is received where it will lie', () => {
  const pool = new AnswerPool();
  let got: Buffer | undefined;
  const frames = new Frames(pool, (bytes) => {
    got = bytes;
  });
  const stream = framed(Buffer.alloc(1 << 20, 7));
  receive(frames, stream.subarray(0, 100), [100]);
  const target = frames.target();
  assert.equal(target.length, stream.length - 100);
  stream.copy(target, 0, 100);
  frames.take(target.length, target);
  assert.equal(got?.buffer, target.buffer);
});

test('an answer of another protocol is told from an answer', () => {
  const frames = new Frames(new AnswerPool(), () => assert.fail('nothing can come of it'));
  const bytes = frames.target();
  const count = bytes.write('HTTP/1.1 400 Bad Request');
  assert.throws(
    () => frames.take(count, bytes),
    (thrown) => isFlowError(thrown, 'kafka.security') && /no answer of Kafka/.test(thrown.message),
  );
});
