import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInt, seededRandom } from '../core/random.ts';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import { hopping, topic, topology } from '../topology/topology.ts';
import { EVENTS, RATES, stats, testProgram } from './testing/everything.ts';
import { type Datum, TestTask } from './testing/test-task.ts';

/** What stands for a row that was not there: the initial value of its aggregate. */
const INITIAL: { readonly [topic: string]: unknown } = {
  'count-out': 0,
  'cells-out': { count: 0, sum: 0, odd: false },
  'bytes-out': { n: 0 },
};
const whole = json<{ n: number }>();
const KEYED = { key: string(), partitions: 1 } as const;
const DOCUMENTS = topic('documents', { ...KEYED, value: whole });

/** Every table that keeps rows, in both forms of rows, each with an output of its own. */
function tables() {
  const app = topology('olds');
  const out = (name: string) => topic(name, { ...KEYED, value: whole });
  const statsOut = (name: string) => topic(name, { ...KEYED, value: stats });
  app.table(DOCUMENTS, { store: 'documents' }).toStream().to(out('table-out'));
  const rates = app.table(RATES, { store: 'rates' });
  rates.toStream().to(statsOut('rates-out'));
  // The same records are changes of two tables, one behind the other.
  const again = rates.toStream().toTable({ store: 'again', value: stats });
  again.toStream().to(statsOut('again-out'));
  rates.toStream().to(statsOut('rates-out-2'));
  const events = app.stream(EVENTS);
  const grouped = events.groupByKey();
  grouped
    .count({ store: 'count' })
    .toStream()
    .to(topic('count-out', { ...KEYED, value: int64() }));
  events
    .mapValues((n) => ({ n }))
    .groupByKey()
    .reduce({ store: 'reduce', value: whole, add: (a, b) => ({ n: a.n + b.n }) })
    .toStream()
    .to(out('reduce-out'));
  const hops = grouped.window(hopping(10, { advance: 5 }));
  hops
    .aggregate({
      store: 'cells',
      value: stats,
      initial: () => ({ count: 0, sum: 0, odd: false }),
      add(row, value) {
        row.count++;
        row.sum += value;
      },
    })
    .toStream()
    .to(topic('cells-out', { key: windowed(string(), 10), value: stats, partitions: 1 }));
  hops
    .aggregate({
      store: 'bytes',
      value: whole,
      initial: () => ({ n: 0 }),
      add(row, value) {
        row.n += value ?? 1;
      },
    })
    .toStream()
    .to(topic('bytes-out', { key: windowed(string(), 10), value: whole, partitions: 1 }));
  return testProgram(app.build());
}

const inputs = fc.array(
  fc
    .record({
      which: fc.constantFrom('documents', 'rates', 'events', 'events'),
      key: fc.constantFrom('a', 'b', 'c'),
      value: fc.option(fc.nat(9), { freq: 4 }),
      timestamp: fc.nat(30),
    })
    .map(({ which, key, value, timestamp }): Datum => {
      const rows: { readonly [topic: string]: unknown } = {
        documents: { n: value },
        rates: { count: value, sum: value, odd: true },
        events: value,
      };
      return { topic: which, key, value: value === null ? null : rows[which], timestamp };
    }),
  { maxLength: 40, size: 'max' },
);

test('a table that is asked tells the value that each record replaces, also where reads miss', () => {
  const program = tables();
  let told = 0;
  fc.assert(
    fc.property(inputs, fc.nat(), (data, seed) => {
      const random = seededRandom(seed);
      const task = new TestTask(program, {
        olds: true,
        interrupt(step) {
          if (randomInt(random, 9) === 0) step.miss();
        },
      });
      task.feed(...data);
      const last = new Map<string, unknown>();
      for (const { topic: name, key, value, old } of task.written.items) {
        const row = `${name} ${JSON.stringify(key)}`;
        assert.deepEqual(old, last.get(row) ?? INITIAL[name] ?? null, row);
        if (old !== null) told++;
        last.set(row, value);
      }
    }),
    { numRuns: 100, seed: 20265 },
  );
  assert.ok(told > 1000, `${told} old values`);
});
