import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { Step } from '../core/step.ts';
import { BatchBuilder, BatchView, batchHeader, checkBatch, encodeHeaders, readHeaders } from './batch.ts';
import { BATCH_HEADER_BYTES, stampCrc, stampPosition, stampProducer } from './batch-header.ts';
import { encodeMarker, markerOf } from './control.ts';
import { filterBatch } from './filter-batch.ts';

const WHERE = { topic: 'orders', partition: 3 };

interface Plain {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly name: string; readonly value: Buffer | null }[];
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const timestamps = fc.oneof(
  fc.integer({ min: 2 ** 41 - 1000, max: 2 ** 41 + 1000 }),
  fc.integer({ min: 0, max: 1000 }),
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, 2 ** 41, 2 ** 45),
  // where the difference to a small first one takes another byte
  fc.tuple(fc.integer({ min: 5, max: 42 }), fc.integer({ min: -1, max: 1 })).map(([bits, off]) => 2 ** bits + off),
);
const plain = { noNullPrototype: true } as const;
const header = fc.record({ name: fc.string({ unit: 'grapheme' }), value: fc.option(bytes(20)) }, plain);
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(header, { maxLength: 3 }) },
);
const records: fc.Arbitrary<Plain[]> = fc.array(
  fc.record({ timestamp: timestamps, key: fc.option(bytes(40)), value: fc.option(bytes(300)), headers }, plain),
  { minLength: 1, maxLength: 80 },
);

/** The obvious encoder, from the published layout, on BigInt. */
function reference(all: readonly Plain[]): Bytes {
  const varint = (value: bigint | number): Buffer => {
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
    const out: number[] = [];
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    return Buffer.from([...out, Number(rest)]);
  };
  const sized = (data: Buffer | null) => (data === null ? [varint(-1)] : [varint(data.length), data]);
  const parts = all.map(({ timestamp, key, value, headers }, i) => {
    const body = Buffer.concat([
      Buffer.of(0),
      varint(timestamp - all[0]!.timestamp),
      varint(i),
      ...sized(key),
      ...sized(value),
      varint(headers.length),
      ...headers.flatMap((header) => [...sized(Buffer.from(header.name)), ...sized(header.value)]),
    ]);
    return Buffer.concat([varint(body.length), body]);
  });
  const head = Buffer.alloc(BATCH_HEADER_BYTES);
  const whole = Buffer.concat([head, ...parts]);
  whole.writeInt32BE(whole.length - 12, 8);
  whole.writeInt32BE(-1, 12);
  whole[16] = 2;
  whole.writeInt32BE(all.length - 1, 23);
  whole.writeBigInt64BE(BigInt(all[0]!.timestamp), 27);
  whole.writeBigInt64BE(BigInt(Math.max(...all.map(({ timestamp }) => timestamp))), 35);
  whole.writeBigInt64BE(-1n, 43);
  whole.writeInt16BE(-1, 51);
  whole.writeInt32BE(-1, 53);
  whole.writeInt32BE(all.length, 57);
  whole.writeUInt32BE(slowCrc(whole.subarray(21)), 17);
  return whole;
}

function slowCrc(data: Bytes): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function fill(builder: BatchBuilder, { timestamp, key, value, headers }: Plain): void {
  const k = key ?? Buffer.of();
  const v = value ?? Buffer.of();
  const ks = key === null ? -1 : 0;
  const vs = value === null ? -1 : 0;
  if (headers.length === 0) builder.append(timestamp, k, ks, k.length, v, vs, v.length);
  else {
    const raw = encodeHeaders(headers);
    builder.appendWithHeaders(timestamp, k, ks, k.length, v, vs, v.length, raw, 0, raw.length);
  }
}

function build(all: readonly Plain[]): Bytes {
  const step = new Step();
  const builder = new BatchBuilder(step);
  for (const record of all) {
    step.begin();
    fill(builder, record);
    step.settle();
  }
  return builder.finish();
}

function slice(data: Bytes, start: number, end: number): Buffer | null {
  return start < 0 ? null : Buffer.from(data.subarray(start, end));
}

function seen(view: BatchView): Plain[] {
  return Array.from({ length: view.count }, (_, i) => ({
    timestamp: view.timestamps[i]!,
    key: slice(view.bytes, view.keyStarts[i]!, view.keyEnds[i]!),
    value: slice(view.bytes, view.valueStarts[i]!, view.valueEnds[i]!),
    headers: readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!) as Plain['headers'],
  }));
}

const view = new BatchView();

test('the builder writes what the layout says, byte for byte', () => {
  fc.assert(
    fc.property(records, (all) => {
      assert.deepEqual(Buffer.from(build(all)), reference(all));
    }),
  );
});

test('the view reads what was written, anywhere in a buffer and at any position', () => {
  fc.assert(
    fc.property(records, fc.nat(50), fc.nat(2 ** 48), (all, gap, position) => {
      const batch = reference(all);
      const arena = Buffer.concat([Buffer.alloc(gap, 255), batch, Buffer.alloc(gap, 255)]);
      stampPosition(arena, gap, position);
      view.open(arena, gap, gap + batch.length, WHERE);
      assert.deepEqual(seen(view), all);
      assert.deepEqual(
        [...view.positions.subarray(0, view.count)],
        all.map((_, i) => position + i),
      );
      assert.equal(view.maxTimestamp, Math.max(...all.map(({ timestamp }) => timestamp)));
      assert.ok(view.dense && !view.transactional && !view.control);
    }),
  );
});

test('a body copied as it lies gives the same record, also behind another first timestamp', () => {
  fc.assert(
    fc.property(records, timestamps, (all, first) => {
      view.open(reference(all), 0, reference(all).length, WHERE);
      const step = new Step();
      const builder = new BatchBuilder(step);
      const head: Plain = { timestamp: first, key: null, value: null, headers: [] };
      step.begin();
      fill(builder, head);
      for (let i = 0; i < view.count; i++) {
        builder.appendBody(view.timestamps[i]!, view.bytes, view.bodyStarts[i]!, view.bodyEnds[i]!);
      }
      step.settle();
      const copied = builder.finish();
      assert.deepEqual(Buffer.from(copied), reference([head, ...all]));
    }),
  );
});

test('steps taken back leave no trace in a batch', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(records, fc.boolean()), { minLength: 1, maxLength: 8 }), (steps) => {
      const step = new Step();
      const builder = new BatchBuilder(step);
      const kept: Plain[] = [];
      for (const [all, keep] of steps) {
        step.begin();
        for (const record of all) fill(builder, record);
        if (keep) {
          step.settle();
          kept.push(...all);
        } else step.rollback();
        assert.equal(builder.count, kept.length);
      }
      if (kept.length === 0) assert.equal(builder.size, BATCH_HEADER_BYTES);
      else {
        assert.equal(builder.maxTimestamp, Math.max(...kept.map(({ timestamp }) => timestamp)));
        assert.equal(builder.size, reference(kept).length);
        const finished = builder.finish();
        assert.deepEqual(Buffer.from(finished), reference(kept));
        builder.recycle(finished);
        builder.recycle(finished);
      }
    }),
  );
});

test('recycled memory never shows in a later batch, nor does foreign memory enter the pool', () => {
  const small: Plain[] = [{ timestamp: 5, key: null, value: Buffer.from('x'), headers: [] }];
  const step = new Step();
  const builder = new BatchBuilder(step);
  const foreign = Buffer.from('not lent by a builder');
  builder.recycle(foreign);
  for (let i = 0; i < 5; i++) {
    step.begin();
    fill(builder, small[0]!);
    step.settle();
    const finished = builder.finish();
    assert.notEqual(finished.buffer, foreign.buffer);
    assert.deepEqual(Buffer.from(finished), reference(small));
    builder.recycle(finished.fill(0xff));
  }
});

test('any changed byte behind the position is a named error', () => {
  const batch = reference([{ timestamp: 1, key: Buffer.from('k'), value: Buffer.from('value'), headers: [] }]);
  stampPosition(batch, 0, 42);
  for (let at = 8; at < batch.length; at++) {
    // The leader epoch is not covered by the checksum.
    if (at >= 12 && at < 16) continue;
    const broken = Buffer.from(batch);
    broken[at]! ^= 0x41;
    assert.throws(
      () => view.open(broken, 0, broken.length, WHERE),
      (thrown) => isFlowError(thrown, 'log.corrupt') && /orders\/3 at position 42/.test(thrown.message),
    );
    assert.equal(view.count, 0);
  }
  for (let end = 0; end < batch.length; end++) {
    assert.throws(
      () => checkBatch(batch, 0, end, WHERE),
      (thrown) => isFlowError(thrown, 'log.corrupt'),
    );
  }
});

test('records that do not fit, under a valid checksum, are read or refused by name, never read beyond', () => {
  let refused = 0;
  fc.assert(
    fc.property(records, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (all, changes) => {
      const batch = reference(all);
      for (const [at, byte] of changes) {
        batch[BATCH_HEADER_BYTES + (at % (batch.length - BATCH_HEADER_BYTES))] = byte;
      }
      stampCrc(batch, 0);
      try {
        view.open(batch, 0, batch.length, WHERE);
      } catch (thrown) {
        refused++;
        assert.ok(isFlowError(thrown, 'log.corrupt'), String(thrown));
        return;
      }
      for (let i = 0; i < view.count; i++) {
        const inside = [view.keyStarts, view.keyEnds, view.valueStarts, view.valueEnds].every(
          (column) => column[i]! <= batch.length,
        );
        assert.ok(inside && view.bodyEnds[i]! <= batch.length && view.bodyStarts[i]! >= BATCH_HEADER_BYTES);
      }
      readHeaders(view.bytes, view.headerStarts[0]!, view.bodyEnds[0]!);
    }),
    { numRuns: 500 },
  );
  assert.ok(refused > 50, `only ${refused} were refused`);
});

test('markers are control batches that say commit or abort', () => {
  for (const marker of ['commit', 'abort'] as const) {
    const batch = encodeMarker(marker, 7, 2, 1234);
    checkBatch(batch, 0, batch.length, WHERE);
    const header = batchHeader(batch, 0);
    assert.ok(header.control && header.transactional && header.count === 1);
    assert.equal(header.producerId, 7);
    assert.equal(header.producerEpoch, 2);
    assert.equal(markerOf(batch, 0, batch.length, WHERE), marker);
    view.open(batch, 0, batch.length, WHERE);
    assert.equal(view.timestamps[0], 1234);
  }
  const data = reference([{ timestamp: 1, key: null, value: null, headers: [] }]);
  assert.equal(markerOf(data, 0, data.length, WHERE), undefined);
});

test('producer fields are stamped under a new checksum', () => {
  const batch = reference([{ timestamp: 1, key: null, value: Buffer.from('v'), headers: [] }]);
  const stamp = { producerId: 2 ** 40, producerEpoch: 9, baseSequence: 77, transactional: true };
  stampProducer(batch, 0, stamp);
  checkBatch(batch, 0, batch.length, WHERE);
  const { producerId, producerEpoch, baseSequence, transactional } = batchHeader(batch, 0);
  assert.deepEqual({ producerId, producerEpoch, baseSequence, transactional }, stamp);
});

test('stamping a producer does not make a damaged batch look whole', () => {
  const batch = reference([{ timestamp: 1, key: null, value: Buffer.from('value'), headers: [] }]);
  batch[batch.length - 2]! ^= 1;
  stampProducer(batch, 0, { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true });
  assert.throws(() => checkBatch(batch, 0, batch.length, WHERE), { code: 'log.corrupt' });
});

test('a filtered batch keeps positions and span', () => {
  fc.assert(
    fc.property(records, fc.func(fc.boolean()), (all, keep) => {
      const batch = reference(all);
      stampPosition(batch, 0, 1000);
      view.open(batch, 0, batch.length, WHERE);
      const chosen = all.map((record, i) => ({ record, i })).filter(({ i }) => keep(i));
      const filtered = filterBatch(view, keep);
      if (filtered === undefined) return assert.equal(chosen.length, 0);
      view.open(filtered, 0, filtered.length, WHERE);
      assert.deepEqual(
        seen(view),
        chosen.map(({ record }) => record),
      );
      assert.deepEqual(
        [...view.positions.subarray(0, view.count)],
        chosen.map(({ i }) => 1000 + i),
      );
      assert.equal(view.nextPosition, 1000 + all.length);
      assert.equal(view.dense, chosen.length === all.length);
    }),
  );
});
