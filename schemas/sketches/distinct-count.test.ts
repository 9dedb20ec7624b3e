import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../../core/random.ts';
import { type Countable, DistinctCount } from './distinct-count.ts';

function counted(precision: number, values: Iterable<Countable>): DistinctCount {
  const count = DistinctCount.empty(precision);
  for (const value of values) count.add(value);
  return count;
}

function* texts(from: number, to: number): Generator<string> {
  for (let i = from; i < to; i++) yield `user-${i}`;
}

test('the estimate stays within the stated error, from none to many', () => {
  const precision = 12;
  const error = 1.04 / Math.sqrt(2 ** precision);
  let squares = 0;
  let runs = 0;
  for (const size of [0, 1, 2, 10, 100, 1000, 1365, 1366, 3000, 5000, 10_000, 20_000, 50_000, 200_000]) {
    for (let run = 0; run < (size > 20_000 ? 2 : 6); run++) {
      const { estimate } = counted(precision, texts(run * size, (run + 1) * size));
      const off = size === 0 ? estimate : (estimate - size) / size;
      assert.ok(Math.abs(off) <= 4 * error, `${estimate} for ${size}`);
      if (size < 5000) continue;
      squares += off * off;
      runs++;
    }
  }
  const deviation = Math.sqrt(squares / runs);
  assert.ok(deviation < 1.5 * error, `a deviation of ${deviation}, stated is ${error}`);
});

test('numbers and texts that look alike are two things; numbers in sequence are told apart', () => {
  assert.equal(counted(12, [1, '1', 0, -0, true, false, '']).estimate, 6);
  const numbers = Array.from({ length: 40_000 }, (_, i) => i);
  const { estimate } = counted(12, numbers);
  assert.ok(Math.abs(estimate / 40_000 - 1) < 0.065, `${estimate}`);
  const fractions = numbers.map((i) => i / 8);
  assert.ok(Math.abs(counted(12, fractions).estimate / 40_000 - 1) < 0.065);
});

test('adding again and the order of adding change nothing; merging is adding all to one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(900), { maxLength: 700, size: 'max' }),
      fc.array(fc.nat(900), { maxLength: 700, size: 'max' }),
      fc.constantFrom(4, 8, 11),
      (one, other, precision) => {
        const all = counted(precision, [...one, ...other]);
        const shuffled = counted(precision, [...other, ...one, ...other]);
        assert.deepEqual(shuffled.bytes, all.bytes);
        for (const [into, from] of [
          [one, other],
          [other, one],
        ] as const) {
          const merged = counted(precision, into);
          merged.merge(counted(precision, from));
          assert.deepEqual(merged.bytes, all.bytes);
        }
      },
    ),
    { numRuns: 100, seed: 3 },
  );
});

test('it takes three bytes a value while there are few, and then as many bytes as registers', () => {
  assert.equal(counted(12, texts(0, 100)).bytes.length <= 2 + 300, true);
  assert.equal(counted(12, texts(0, 1_000_000)).bytes.length, 2 + 4096);
});

test('what is added to one does not show in another over the same bytes', () => {
  const random = seededRandom(4);
  const first = counted(8, ['a']);
  const copy = new DistinctCount().moveTo(Buffer.from(first.bytes), 0, first.bytes.length);
  for (let i = 0; i < 500; i++) copy.add(randomInt(random, 1000));
  assert.equal(first.estimate, 1);
});
