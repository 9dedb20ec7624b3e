import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, EMPTY } from '../../core/bytes.ts';
import { isFlowError } from '../../core/errors.ts';
import { lastPosition, recordCount, stampCrc, stampPosition, stampProducer } from '../batch-header.ts';
import { batch } from '../conformance/bench.conformance.ts';
import { encodeMarker, type Marker } from '../control.ts';
import { takeBatches } from './fetch-batches.ts';

const WHERE = { topic: 'orders', partition: 3 };

/** A partition's bytes, built batch by batch. */
class Stretch {
  readonly parts: Bytes[] = [];
  next = 0;

  data(records: number, producer = -1, transactional = producer >= 0): this {
    const bytes = Buffer.from(batch(...Array.from({ length: records }, (_, i) => `k=${this.next + i}`)));
    if (producer >= 0)
      stampProducer(bytes, 0, { producerId: producer, producerEpoch: 0, baseSequence: 0, transactional });
    return this.#add(bytes);
  }

  marker(marker: Marker, producer: number): this {
    return this.#add(Buffer.from(encodeMarker(marker, producer, 0, 5)));
  }

  get bytes(): Bytes {
    return Buffer.concat(this.parts);
  }

  #add(bytes: Bytes): this {
    stampPosition(bytes, 0, this.next);
    stampCrc(bytes, 0);
    this.next = lastPosition(bytes, 0) + 1;
    this.parts.push(bytes);
    return this;
  }
}

function take(bytes: Bytes, position = 0, aborted: readonly number[] = []) {
  const lead = Buffer.alloc(7);
  const all = Buffer.concat([lead, bytes]);
  const { starts, ends, next } = takeBatches(all, 7, all.length, position, aborted, WHERE);
  return { next, batches: starts.map((start, i) => all.subarray(start, ends[i])) };
}

test('whole batches are taken, a cut one is left', () => {
  const stretch = new Stretch().data(2).data(3).data(4);
  assert.deepEqual(take(stretch.bytes).batches, stretch.parts);
  assert.equal(take(stretch.bytes).next, 9);
  for (let cut = 1; cut <= stretch.parts[2]!.length; cut++) {
    const { batches, next } = take(stretch.bytes.subarray(0, stretch.bytes.length - cut));
    assert.deepEqual([batches.length, next], [2, 5]);
  }
  assert.deepEqual(take(EMPTY, 6), { next: 6, batches: [] });
});

test('batches below the position are passed; the one that holds it is not', () => {
  const stretch = new Stretch().data(2).data(3).data(4);
  assert.deepEqual(take(stretch.bytes, 4).batches, stretch.parts.slice(1));
  assert.deepEqual(take(stretch.bytes, 5).batches, stretch.parts.slice(2));
});

test('control batches are left out, and passed', () => {
  const stretch = new Stretch().data(2, 7).marker('commit', 7);
  assert.deepEqual(take(stretch.bytes), { next: 3, batches: [stretch.parts[0]] });
  assert.deepEqual(take(stretch.bytes, 2), { next: 3, batches: [] });
});

test('batches of an aborted transaction are left out, those of others and of the next one are not', () => {
  const stretch = new Stretch()
    .data(1, 7) // 0, committed
    .marker('commit', 7) // 1
    .data(2, 7) // 2, aborted
    .data(1, 8) // 4
    .data(1, 7, false) // 5, outside of transactions
    .data(1, 7) // 6, aborted
    .marker('abort', 7) // 7
    .data(1, 7) // 8
    .marker('commit', 8); // 9
  const kept = [0, 3, 4, 7].map((i) => stretch.parts[i]);
  assert.deepEqual(take(stretch.bytes, 0, [7, 2]), { next: 10, batches: kept });
});

test('a corrupt batch is refused, naming topic, partition and position', () => {
  const stretch = new Stretch().data(2).data(3);
  const bytes = stretch.bytes;
  bytes[bytes.length - 2]! ^= 1;
  assert.throws(
    () => take(bytes),
    (thrown) => isFlowError(thrown, 'log.corrupt') && /orders\/3.*position 2/.test(thrown.message),
  );
});

test('any mixture of transactions is read as its outcome says', () => {
  const step = fc.record({
    producer: fc.integer({ min: 1, max: 3 }),
    act: fc.constantFrom('data', 'data', 'commit', 'abort'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const stretch = new Stretch();
      const open = new Map<number, { first: number; batches: Bytes[] }>();
      const kept = new Set<Bytes>();
      const aborted: number[] = [];
      const end = (producer: number, marker: Marker) => {
        const range = open.get(producer);
        if (range === undefined) return;
        open.delete(producer);
        stretch.marker(marker, producer);
        if (marker === 'abort') aborted.push(producer, range.first);
        else for (const each of range.batches) kept.add(each);
      };
      for (const { producer, act } of steps) {
        if (act !== 'data') end(producer, act as Marker);
        else {
          const first = stretch.next;
          stretch.data(1, producer);
          const range = open.get(producer) ?? { first, batches: [] };
          range.batches.push(stretch.parts.at(-1)!);
          open.set(producer, range);
        }
      }
      for (const producer of [...open.keys()]) end(producer, 'commit');
      const { batches } = take(stretch.bytes, 0, aborted);
      assert.deepEqual(
        batches,
        stretch.parts.filter((part) => kept.has(part)),
      );
      assert.ok(batches.every((one) => recordCount(one, 0) === 1));
    }),
    { seed: 5, numRuns: 200 },
  );
});
