import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { Bytes } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { randomInt, seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import {
  BatchBuilder,
  BatchView,
  batchHeader,
  CODEC,
  type Compression,
  checkBatch,
  compressBatch,
  readHeaders,
} from './batch.ts';
import { BATCH_HEADER_BYTES, stampCrc } from './batch-header.ts';
import { decompressRecords } from './compression.ts';
import { packLz4, unpackLz4 } from './lz4.ts';
import { Scratch } from './scratch.ts';
import { unpackSnappy } from './snappy.ts';

const WHERE = { topic: 'orders', partition: 3 };
const LIMIT = 1 << 28;

const lines = (file: string) =>
  readFileSync(new URL(`./golden/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string, string]);

function text(bytes: Bytes, start: number, end: number): string | null {
  return start < 0 ? null : bytes.toString('utf8', start, end);
}

test('reads the batches of Kafka 4.3.1 in every codec', () => {
  const golden = lines('kafka-4.3.1.txt');
  assert.equal(golden.length, 9);
  const view = new BatchView();
  for (const [size, codec, hex] of golden) {
    const bytes = Buffer.from(hex, 'hex');
    view.open(bytes, 0, bytes.length, WHERE);
    assert.equal(view.codec, CODEC[codec as keyof typeof CODEC], codec);
    assert.equal(view.count, size === 'small' ? 40 : 250);
    for (let i = 0; i < view.count; i++) {
      assert.equal(view.positions[i], 42 + i);
      assert.equal(view.timestamps[i], 1_700_000_000_000 + i * 3);
      const key = i % 7 === 3 ? null : `key-${i}`;
      assert.equal(text(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!), key);
      const value = i % 11 === 5 ? null : `value ${i}${'abc'.repeat(size === 'small' ? i % 20 : 300)}`;
      assert.equal(text(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!), value);
      const headers = readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!);
      assert.deepEqual(headers, i % 5 === 0 ? [{ name: 'n', value: Buffer.of(i) }] : []);
    }
  }
});

/** As `golden/frames.py` makes it. */
function alike(size: number): Bytes {
  let state = 1;
  let out = '';
  while (out.length < size) {
    state = Number((BigInt(state) * 1103515245n + 12345n) % 2147483648n);
    out += `record ${Math.floor(state / 65536) % 4} of many records that all look alike, or nearly so; `;
  }
  return Buffer.from(out).subarray(0, size);
}

test('reads every variant of LZ4 frames', () => {
  const golden = lines('liblz4-frames.txt');
  assert.equal(golden.length, 6);
  const scratch = new Scratch();
  for (const [name, size, hex] of golden) {
    const frame = Buffer.from(hex, 'hex');
    assert.ok(unpackLz4(frame, scratch, LIMIT).equals(alike(Number(size))), name);
  }
  const frames = golden.map(([, , hex]) => Buffer.from(hex, 'hex'));
  const skipped = Buffer.from('5a2a4d1803000000aabbcc', 'hex');
  const all = unpackLz4(Buffer.concat(frames.flatMap((frame) => [skipped, frame])), scratch, LIMIT);
  assert.ok(all.equals(Buffer.concat(golden.map(([, size]) => alike(Number(size))))));
});

test('reads snappy without the framing of the Java library', () => {
  const framed = Buffer.from(
    lines('kafka-4.3.1.txt').find(([size, codec]) => `${size} ${codec}` === 'small snappy')![2],
    'hex',
  );
  const stream = framed.subarray(BATCH_HEADER_BYTES);
  const scratch = new Scratch();
  const plain = Buffer.from(unpackSnappy(stream, scratch, LIMIT));
  assert.equal(stream.readUInt32BE(16), stream.length - 20, 'one chunk');
  assert.ok(unpackSnappy(stream.subarray(20), scratch, LIMIT).equals(plain));
  assert.ok(unpackSnappy(Buffer.concat([stream, stream]), scratch, LIMIT).equals(Buffer.concat([plain, plain])));
});

const value = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array)),
  fc.tuple(fc.string(), fc.nat(5000)).map(([part, times]) => Buffer.from(part.repeat(times))),
);

function build(values: readonly Bytes[], compression: Compression = 'none'): Bytes {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  values.forEach((each, i) => {
    builder.append(1000 + i, each, 0, Math.min(each.length, 8), each, 0, each.length);
  });
  step.settle();
  return builder.finish(compression);
}

test('a batch compressed and opened again has its records; it is never larger', () => {
  const view = new BatchView();
  const packedView = new BatchView();
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.constantFrom('lz4', 'zstd'), (values, codec) => {
      const plain = build(values);
      const packed = build(values, codec);
      assert.ok(packed.length <= plain.length);
      checkBatch(packed, 0, packed.length, WHERE);
      view.open(plain, 0, plain.length, WHERE);
      packedView.open(packed, 0, packed.length, WHERE);
      assert.equal(packedView.codec, packed.length === plain.length ? CODEC.none : CODEC[codec]);
      const { crc: _, codec: __, length: ___, ...header } = batchHeader(packed, 0);
      const { crc: _c, codec: _d, length: _l, ...plainHeader } = batchHeader(plain, 0);
      assert.deepEqual(header, plainHeader);
      assert.equal(packedView.count, values.length);
      const from = BATCH_HEADER_BYTES - (packedView.codec === CODEC.none ? 0 : BATCH_HEADER_BYTES);
      assert.ok(packedView.bytes.subarray(from).equals(plain.subarray(BATCH_HEADER_BYTES)));
    }),
    { numRuns: 60 },
  );
});

test('without compression a batch stays what it is', () => {
  const batch = build([Buffer.from('one')]);
  assert.equal(compressBatch(batch, 'none'), batch);
});

test('LZ4 blocks that do not shrink are stored; what does not fit is said', () => {
  const random = seededRandom(7);
  const noise = Buffer.from(Array.from({ length: 70_000 }, () => randomInt(random, 256)));
  const target = Buffer.alloc(80_000);
  const end = packLz4(noise, target, 5);
  assert.ok(end > noise.length && end < noise.length + 30);
  assert.ok(unpackLz4(target.subarray(5, end), new Scratch(), LIMIT).equals(noise));
  for (const size of [0, 10, 60_000, 70_005]) assert.equal(packLz4(noise, Buffer.alloc(size), 0), -1);
});

const corruptBatch = (thrown: unknown) =>
  isFlowError(thrown, 'log.corrupt') && thrown.message.startsWith('batch of orders/3 at position 42 is corrupt: ');

test('damaged records of every codec fail as corrupt or decode to something else, and reading goes on', () => {
  const golden = lines('kafka-4.3.1.txt').filter(([size, codec]) => size === 'small' && codec !== 'none');
  const scratch = new Scratch();
  fc.assert(
    fc.property(
      fc.constantFrom(...golden),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 3 }),
      fc.nat(800),
      ([, codec, hex], damage, cut) => {
        const whole = Buffer.from(hex, 'hex');
        const number = CODEC[codec as keyof typeof CODEC];
        const records = Buffer.from(whole.subarray(BATCH_HEADER_BYTES));
        for (const [at, byte] of damage) records[at % records.length] = byte;
        try {
          const plain = decompressRecords(number, records.subarray(0, records.length - (cut % 20)), WHERE, 42, scratch);
          assert.ok(plain.length < LIMIT);
        } catch (thrown) {
          assert.ok(corruptBatch(thrown), String(thrown));
        }
        const again = decompressRecords(number, whole.subarray(BATCH_HEADER_BYTES), WHERE, 42, scratch);
        assert.equal(again.length, 1877 - BATCH_HEADER_BYTES);
      },
    ),
    { numRuns: 1500 },
  );
});

test('records cut short, of an unknown codec, or with the sum wrong behind them are corrupt', () => {
  const scratch = new Scratch();
  for (const [size, codec, hex] of lines('kafka-4.3.1.txt')) {
    if (size !== 'small' || codec === 'none') continue;
    const number = CODEC[codec as keyof typeof CODEC];
    const records = Buffer.from(hex, 'hex').subarray(BATCH_HEADER_BYTES);
    for (const cut of [3, 10, Math.floor(records.length / 2), records.length - 1]) {
      assert.throws(() => decompressRecords(number, records.subarray(0, cut), WHERE, 42, scratch), corruptBatch, codec);
    }
    const batch = Buffer.from(hex, 'hex');
    batch[batch.length - 9]! ^= 1;
    assert.throws(() => new BatchView().open(batch, 0, batch.length, WHERE), corruptBatch);
  }
  assert.throws(() => decompressRecords(6, Buffer.of(1), WHERE, 42, scratch), corruptBatch);
});

test('a few bytes cannot ask for all memory', () => {
  const scratch = new Scratch();
  const plain = Buffer.alloc((1 << 20) + 1);
  const target = Buffer.alloc(1 << 20);
  const frame = target.subarray(0, packLz4(plain, target, 0));
  assert.throws(() => unpackLz4(frame, scratch, 1 << 20), /more than 1048576 bytes/);
  assert.throws(() => unpackSnappy(Buffer.from('ffffffff0f00', 'hex'), scratch, LIMIT), /4294967295 bytes would/);
  const bomb = zstdCompressSync(Buffer.alloc(LIMIT + 1));
  assert.throws(() => decompressRecords(CODEC.zstd, bomb, WHERE, 42, scratch), corruptBatch);
});

test('a view that opens a smaller batch after a larger one sees only its own records', () => {
  const view = new BatchView();
  const large = compressBatch(build([Buffer.alloc(200_000, 'a')]), 'lz4');
  const small = compressBatch(build([Buffer.alloc(500, 'b')]), 'lz4');
  stampCrc(large, 0);
  for (const [batch, length] of [[large, 200_000] as const, [small, 500] as const]) {
    view.open(batch, 0, batch.length, WHERE);
    assert.equal(view.valueEnds[0]! - view.valueStarts[0]!, length);
  }
  assert.equal(view.bytes.length < 600, true);
});
