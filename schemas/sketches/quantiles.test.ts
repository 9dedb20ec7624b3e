import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../core/random.ts';
import { Quantiles } from './quantiles.ts';

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

function sketched(error: number, values: readonly number[]): Quantiles {
  const sketch = new Quantiles(error);
  for (const value of values) sketch.add(value);
  return sketch;
}

function checkAgainst(sketch: Quantiles, values: readonly number[], error: number): void {
  const sorted = values.toSorted((a, b) => a - b);
  for (const quantile of QUANTILES) {
    const exact = sorted[Math.floor(quantile * (sorted.length - 1))]!;
    const answer = sketch.at(quantile);
    // A little more for the rounding of logarithms.
    assert.ok(Math.abs(answer - exact) <= (error + 1e-9) * Math.abs(exact), `${quantile}: ${answer} for ${exact}`);
  }
}

test('quantiles of any numbers stay within the stated relative error', () => {
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.constantFrom(0, -0, 5e-324, 1.7e308, -1.7e308, 1e-9),
  );
  fc.assert(
    fc.property(
      fc.array(numbers, { minLength: 1, maxLength: 200, size: 'max' }),
      fc.constantFrom(0.001, 0.01, 0.1),
      (values, error) => {
        checkAgainst(sketched(error, values), values, error);
      },
    ),
    { numRuns: 300, seed: 2 },
  );
});

test('so do those of a hundred thousand latencies', () => {
  const random = seededRandom(1);
  const values = Array.from({ length: 100_000 }, () => Math.exp(3 + 1.5 * (random.next() + random.next() - 1) * 3));
  const sketch = sketched(0.01, values);
  checkAgainst(sketch, values, 0.01);
  assert.equal(sketch.count, values.length);
  assert.equal(sketch.min, Math.min(...values.slice(0, 1), ...[values.reduce((a, b) => Math.min(a, b))]));
  assert.ok(sketch.positive.indexes.length < 1000, `${sketch.positive.indexes.length} bins`);
});

test('merging is adding all to one', () => {
  const list = fc.array(fc.integer({ min: -500, max: 500 }), { maxLength: 100 });
  fc.assert(
    fc.property(list, list, (one, other) => {
      const merged = sketched(0.01, one);
      merged.merge(sketched(0.01, other));
      assert.deepEqual(merged, sketched(0.01, [...one, ...other]));
    }),
    { numRuns: 100, seed: 2 },
  );
});

test('of no numbers there are no quantiles', () => {
  assert.equal(new Quantiles(0.01).at(0.5), Number.NaN);
  assert.equal(sketched(0.01, [1]).at(1.5), Number.NaN);
});

test('beyond the most bins the smallest magnitudes share one, and the largest keep their error', () => {
  const values = Array.from({ length: 40_000 }, (_, i) => Math.exp(i / 60 - 300));
  const sketch = sketched(0.01, values);
  assert.equal(sketch.positive.indexes.length, 2048);
  const sorted = values.toSorted((a, b) => a - b);
  for (const quantile of [0.95, 0.99, 1]) {
    const exact = sorted[Math.floor(quantile * (sorted.length - 1))]!;
    assert.ok(Math.abs(sketch.at(quantile) - exact) <= 0.0101 * exact);
  }
});
