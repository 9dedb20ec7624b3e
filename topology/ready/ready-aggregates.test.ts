import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outcomeOf, runDisturbed, runPlainly } from '../../operators/testing/disturb.ts';
import { testProgram } from '../../operators/testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from '../../operators/testing/test-task.ts';
import { compareTop, distinctRow, double, json, meanRow, quantileRow, string, topRow } from '../../schemas/schemas.ts';
import { session, topic, topology, tumbling } from '../topology.ts';

interface Sale {
  readonly item: string;
  readonly amount: number | null;
}

const SALES = topic('sales', { key: string(), value: json<Sale>(), partitions: 1 });
const KEYED = { key: string(), partitions: 1 } as const;

/** All ready aggregates at once, each with its result as text. */
type Kind = 'plain' | 'windows' | 'sessions';

function everyAggregate(kind: Kind): TestProgram {
  const app = topology('ready');
  const grouped = app.stream(SALES).groupByKey();
  // The compiler is spared the union of three kinds of groups, whose calls are the same.
  const windows = kind === 'windows' ? tumbling(1_000_000) : session({ gap: 1, grace: 1000 });
  const group = kind === 'plain' ? grouped : (grouped.window(windows as never) as unknown as typeof grouped);
  const of = (sale: Sale) => sale.amount;
  const out = topic('out', { key: string(), value: string(), partitions: 1 });
  const show = <V>(name: string, table: { toStream(): unknown }, text: (value: V) => unknown) => {
    const stream = table.toStream() as ReturnType<ReturnType<typeof app.table<string, V, 1>>['toStream']>;
    const present = stream.filter((value) => value !== null);
    present.map((value) => [name, JSON.stringify(text(value as V))]).to(out);
  };
  show('sum', group.sum({ store: 'sum', of }), (sum: number) => sum);
  show('min', group.min({ store: 'min', of }), (min: number) => min);
  show('max', group.max({ store: 'max', of: (sale, key) => sale.amount && sale.amount * key.length }), (max) => max);
  show('mean', group.mean({ store: 'mean', of }), (mean) => mean);
  const items = (sale: Sale) => sale.item;
  show(
    'distinct',
    group.distinctCount({ store: 'distinct', of: items }),
    (count: { estimate: number }) => count.estimate,
  );
  show('quantiles', group.quantiles({ store: 'quantiles', of }), (all: { at(q: number): number }) => all.at(0.5));
  const score = of;
  show('top', group.topK({ store: 'top', k: 2, id: items, score }), (top) => top);
  return testProgram(app.build());
}

const sales = fc
  .array(
    fc.record({ item: fc.constantFrom('a', 'b', 'c', 'd'), amount: fc.option(fc.integer({ min: -50, max: 50 })) }),
    {
      minLength: 1,
      maxLength: 25,
    },
  )
  .map((rows) =>
    // Every other time first, so that sessions come to touch each other.
    rows.map((value, i): Datum => {
      const half = Math.ceil(rows.length / 2);
      return { topic: 'sales', key: 'kk', value, timestamp: i < half ? 2 * i : 2 * (i - half) + 1 };
    }),
  );

/** The last value of each aggregate. */
function results(task: TestTask): { readonly [name: string]: unknown } {
  const last = task.written.items.map(({ key, value }) => [key, JSON.parse(value as string)] as const);
  return Object.fromEntries(last);
}

test('ready aggregates give what the whole list gives, without windows, with them and in sessions that merge', () => {
  fc.assert(
    fc.property(sales, fc.nat(), fc.constantFrom<Kind>('plain', 'windows', 'sessions'), (data, seed, kind) => {
      const program = everyAggregate(kind);
      const task = runPlainly(program, data);
      const values = data.map(({ value }) => value as Sale);
      const amounts = values.flatMap(({ amount }) => amount ?? []);
      const sum = amounts.reduce((a, b) => a + b, 0);
      const sorted = amounts.toSorted((a, b) => a - b);
      const middle = sorted[Math.floor(0.5 * (sorted.length - 1))];
      const best = new Map<string, number>();
      for (const { item, amount } of values) {
        if (amount !== null) best.set(item, Math.max(amount, best.get(item) ?? amount));
      }
      const top = [...best].map(([id, score]) => ({ id, score })).sort(compareTop);
      const { quantiles, ...rest } = results(task);
      assert.deepEqual(rest, {
        sum,
        // JSON has no infinity.
        min: sorted[0] ?? null,
        max: sorted.length === 0 ? null : sorted.at(-1)! * 2,
        mean: { count: amounts.length, sum, mean: amounts.length === 0 ? null : sum / amounts.length },
        distinct: new Set(values.map(({ item }) => item)).size,
        top: top.slice(0, 2),
      });
      if (middle === undefined) assert.equal(quantiles, null);
      else assert.ok(Math.abs((quantiles as number) - middle) <= 0.0101 * Math.abs(middle));
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(task));
    }),
    { numRuns: 100, seed: 12 },
  );
});

test('their tables go to topics in their own formats', () => {
  const app = topology('formats');
  const grouped = app.stream(SALES).groupByKey();
  const of = (sale: Sale) => sale.amount;
  grouped
    .sum({ store: 'a', of })
    .toStream()
    .to(topic('sum-out', { ...KEYED, value: double() }));
  grouped
    .mean({ store: 'b', of })
    .toStream()
    .to(topic('mean-out', { ...KEYED, value: meanRow() }));
  const items = grouped.distinctCount({ store: 'c', of: (sale) => sale.item, error: 0.05 });
  items.toStream().to(topic('distinct-out', { ...KEYED, value: distinctRow(9) }));
  const quantiles = grouped.quantiles({ store: 'd', of, error: 0.1 });
  quantiles.toStream().to(topic('quantiles-out', { ...KEYED, value: quantileRow(0.1) }));
  const top = grouped.topK({ store: 'e', k: 3, id: (sale) => sale.item, score: of });
  top.toStream().to(topic('top-out', { ...KEYED, value: topRow() }));
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'sales', key: 'k', value: { item: 'x', amount: 2 }, timestamp: 1 });
  assert.equal(task.written.items.length, 5);
});
