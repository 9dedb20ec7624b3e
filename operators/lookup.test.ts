import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { CallOrder } from '../topology/plan.ts';
import { topic, topology } from '../topology/topology.ts';
import { AnswerCache } from './answer-cache.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

const IN = topic('in', { key: string(), value: int64(), partitions: 1 });
const OUT = topic('out', { key: string(), value: string(), partitions: 1 });

interface Plan {
  readonly how: 'inner' | 'left';
  readonly order: CallOrder;
  readonly concurrency: number;
  readonly maxEntries: number;
  readonly negativeTtl: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  how: fc.constantFrom('inner', 'left'),
  order: fc.constantFrom('key', 'partition', 'none'),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxEntries: fc.constantFrom(1, 2, 100),
  negativeTtl: fc.constantFrom(0, 50),
});

const inputs = fc
  .array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c', 'none', null), isNull: fc.constantFrom(false, false, true) }),
    {
      maxLength: 30,
      size: 'max',
    },
  )
  .map((rows) =>
    rows.map(({ key, isNull }, i): Datum => ({ topic: 'in', key, value: isNull ? null : i, timestamp: i })),
  );

let calls: string[] = [];

function program({ how, order, concurrency, maxEntries, negativeTtl }: Plan) {
  const app = topology('lookups');
  const options = {
    ...{ name: 'rows', order, concurrency, cache: { maxEntries, ttl: 100, negativeTtl } },
    fn(key: string) {
      calls.push(key);
      return key === 'none' ? undefined : key.toUpperCase();
    },
    merge: (value: number, row: string | null, key: string) => `${key}${value}=${row}`,
  };
  (how === 'left' ? app.stream(IN).leftLookup(options) : app.stream(IN).lookup(options)).to(OUT);
  return testProgram(app.build());
}

function expected({ how }: Plan, data: readonly Datum[]): readonly string[] {
  return data.flatMap(({ key, value }) => {
    const row = key === null || key === 'none' ? null : (key as string).toUpperCase();
    return value === null || (row === null && how === 'inner') ? [] : [`${key}${value}=${row}`];
  });
}

const RUNS = { numRuns: 300, seed: 77 };

test('each record finds its row, in order, however calls end and whatever is cached', () => {
  let cached = 0;
  fc.assert(
    fc.property(plans, inputs, fc.nat(), (plan, data, seed) => {
      const random = seededRandom(seed);
      calls = [];
      const task = new TestTask(program(plan), {
        nextCall: (open) => (randomInt(random, 3) === 0 ? randomInt(random, open) : -1),
        interrupt(step) {
          if (randomInt(random, 8) === 0) step.miss();
        },
      });
      task.feed(...data);
      task.end();
      const values = task.written.items.map(({ value }) => value as string);
      const all = expected(plan, data);
      assert.deepEqual(values.toSorted(), all.toSorted());
      if (plan.order === 'partition') assert.deepEqual(values, all);
      for (const key of plan.order === 'key' ? ['a', 'b', 'c', 'none'] : []) {
        const own = (each: string) => each.startsWith(key);
        assert.deepEqual(values.filter(own), all.filter(own));
      }
      const reasons = task.dropped.items.map(({ reason }) => reason);
      assert.equal(
        reasons.filter((reason) => reason === 'null-value').length,
        data.filter((d) => d.value === null).length,
      );
      const keyless = data.filter(({ key, value }) => key === null && value !== null).length;
      assert.equal(reasons.filter((reason) => reason === 'null-key').length, plan.how === 'inner' ? keyless : 0);
      if (plan.maxEntries === 100) {
        // one call a key, as long as answers hold
        const found = calls.filter((key) => key !== 'none' || plan.negativeTtl > 0);
        assert.equal(found.length, new Set(found).size);
        cached++;
      }
    }),
    RUNS,
  );
  assert.ok(cached > 50, `${cached}`);
});

test('an answer holds for its time, and beyond the bound that goes which was asked for longest ago', () => {
  const cache = new AnswerCache({ maxEntries: 2, ttlMs: 10, negativeTtlMs: 3 });
  cache.keep('a', 1, 0);
  cache.keep('b', null, 0);
  assert.deepEqual([cache.find('a', 2), cache.find('b', 2), cache.find('c', 2)], [1, null, undefined]);
  assert.deepEqual([cache.find('b', 3), cache.find('a', 9)], [undefined, 1]);
  cache.keep('b', 2, 9);
  assert.equal(cache.find('a', 9), 1);
  cache.keep('c', 3, 9);
  assert.deepEqual([cache.find('a', 9), cache.find('b', 9), cache.find('c', 9)], [1, undefined, 3]);
  assert.equal(cache.find('a', 10), undefined);
  assert.equal(cache.size, 1);
  const forgetful = new AnswerCache({ maxEntries: 2, ttlMs: 10, negativeTtlMs: 0 });
  forgetful.keep('a', null, 0);
  assert.equal(forgetful.find('a', 0), undefined);
});
