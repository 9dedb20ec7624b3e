import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { int64, string } from '../schemas/schemas.ts';
import type { CallOrder } from '../topology/plan.ts';
import { keyValueStore, topic, topology } from '../topology/topology.ts';
import type { ProcessContext, Processor } from './process.ts';
import { runWithCrashes } from './testing/disturb.ts';
import { testProgram } from './testing/everything.ts';
import { type Datum, TestTask, type TestTaskOptions } from './testing/test-task.ts';

const IN = topic('in', { key: string(), value: int64(), partitions: 1 });
const OUT = topic('out', { key: string(), value: string(), partitions: 1 });

interface Plan {
  readonly order: CallOrder;
  readonly concurrency: number;
  /** Records that each one brings. */
  readonly copies: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  order: fc.constantFrom('key', 'partition', 'none'),
  concurrency: fc.integer({ min: 1, max: 5 }),
  copies: fc.constantFrom(1, 1, 2, 7),
});

/** Values tell the records apart. */
const inputs = fc
  .array(fc.constantFrom('a', 'b', 'é', null), { maxLength: 30, size: 'max' })
  .map((keys) => keys.map((key, value): Datum => ({ topic: 'in', key, value, timestamp: 100 - value })));

const SEEN = keyValueStore('seen', { key: string(), value: int64() });

/** Passes on what comes, with a look into a store, which may be cold. */
class Look<V> implements Processor<string, V, string, V> {
  process(value: V, key: string, context: ProcessContext<string, V>): void {
    context.store<string, number>('seen').get('x');
    context.forward(key, value);
  }
}

/** How the function was called, in order. */
let calls: string[] = [];

function program({ order, concurrency, copies }: Plan) {
  const app = topology('calls');
  const stream = app.stream(IN);
  stream
    .flatMap((value, key) => Array.from({ length: copies }, (_, i) => [key, value * copies + i] as const))
    .mapAsync({
      ...{ name: 'ask', order, concurrency, key: string(), input: int64(), value: string() },
      retry: { attempts: 2 },
      fn(value, key, { attempt }) {
        calls.push(`${key}${value}`);
        if (attempt === 1 && value % 4 === 3) throw new Error('try again');
        return `${key}${value}`;
      },
    })
    .processValues({ name: 'after', stores: [SEEN], supplier: () => new Look(), value: string() })
    .to(OUT);
  // the same step goes on behind the call, so that it may be undone when the record was taken
  stream.processValues({ name: 'beside', stores: [SEEN], supplier: () => new Look() });
  return testProgram(app.build());
}

function run(plan: Plan, data: readonly Datum[], options: TestTaskOptions): TestTask {
  calls = [];
  const task = new TestTask(program(plan), options);
  task.feed(...data);
  task.end();
  return task;
}

/** Each call ends at some time, or when it has to. */
function anyCall(seed: number): (open: number) => number {
  const random = seededRandom(seed);
  return (open) => (randomInt(random, 3) === 0 ? randomInt(random, open) : -1);
}

function expected({ copies }: Plan, data: readonly Datum[]): readonly string[] {
  return data.flatMap(({ key, value }) =>
    Array.from({ length: copies }, (_, i) => `${key}${(value as number) * copies + i}`),
  );
}

const valuesOf = (task: TestTask): readonly string[] => task.written.items.map(({ value }) => value as string);

const ofKey = (values: readonly string[], key: string) => values.filter((value) => value.startsWith(key));

/** Every result is there once, and in the order that was asked for. */
function checkResults(plan: Plan, data: readonly Datum[], task: TestTask): void {
  const values = valuesOf(task);
  const all = expected(plan, data);
  assert.deepEqual(values.toSorted(), all.toSorted());
  if (plan.order === 'partition') assert.deepEqual(values, all);
  if (plan.order === 'key') for (const key of ['a', 'b', 'é']) assert.deepEqual(ofKey(values, key), ofKey(all, key));
  const times = new Map(data.map(({ value, timestamp }) => [value, timestamp]));
  for (const { value, key, timestamp } of task.written.items) {
    const number = Number((value as string).slice(key === null ? 'null'.length : 1));
    assert.equal(timestamp, times.get(Math.floor(number / plan.copies)));
  }
}

const RUNS = { numRuns: 200, seed: 1805 };

test('results leave in the order of keys, of the partition, or any, whichever call ends first', () => {
  let turned = 0;
  fc.assert(
    fc.property(plans, inputs, fc.nat(), (plan, data, seed) => {
      const task = run(plan, data, { nextCall: anyCall(seed) });
      checkResults(plan, data, task);
      if (valuesOf(task).join() !== expected(plan, data).join()) turned++;
    }),
    RUNS,
  );
  assert.ok(turned > 50, `${turned} runs in another order`);
});

test('a step that is undone starts no call', () => {
  let misses = 0;
  fc.assert(
    fc.property(plans, inputs, fc.nat(), (plan, data, seed) => {
      const random = seededRandom(seed);
      const task = run(plan, data, {
        nextCall: anyCall(seed),
        interrupt(step) {
          if (randomInt(random, 6) === 0) step.miss();
        },
      });
      misses += task.misses;
      checkResults(plan, data, task);
      const all = expected(plan, data);
      const again = all.filter((value) => Number(value.replace(/^\D+/, '')) % 4 === 3);
      assert.deepEqual(calls.toSorted(), [...all, ...again].toSorted());
    }),
    RUNS,
  );
  assert.ok(misses > 500, `${misses} misses`);
});

// hard-places 18: inputs in flight are state, issued again on restore
test('calls on their way at a commit are made again after a crash, and each result counts once', () => {
  let crashes = 0;
  let repeated = 0;
  fc.assert(
    fc.property(plans, inputs, fc.nat(), (plan, data, seed) => {
      calls = [];
      const open = (between: () => void) => new TestTask(program(plan), { nextCall: anyCall(seed), between });
      const { task, ...crashed } = runWithCrashes({ random: seededRandom(seed), oneIn: 8, open }, data);
      crashes += crashed.crashes;
      checkResults(plan, data, task);
      if (calls.length > expected(plan, data).length * 1.25 + 1) repeated++;
      assert.equal(task.table('ask').scan(0).next(), false);
    }),
    RUNS,
  );
  assert.ok(crashes > 300 && repeated > 20, `${crashes} crashes, ${repeated} runs with calls made again`);
});
