import assert from 'node:assert/strict';
import fc from 'fast-check';
import { outcomeOf, runDisturbed, runPlainly } from '../../operators/testing/disturb.ts';
import { testProgram } from '../../operators/testing/everything.ts';
import { type Datum, type TestProgram, TestTask } from '../../operators/testing/test-task.ts';
import { json, string } from '../../schemas/schemas.ts';
import type { Grouped } from '../group-handles.ts';
import { session, topic, topology } from '../topology.ts';

export interface Sale {
  readonly item: string;
  readonly amount: number | null;
}

export type Sales = Grouped<string, Sale, 1>;

/** What is taken of a sale in the tests of numbers. */
export const amountOf = (sale: Sale) => sale.amount;

const SALES = topic('sales', { key: string(), value: json<Sale>(), partitions: 1 });

interface Law<V> {
  /** The aggregate on trial. */
  aggregate(sales: Sales): { toStream(): unknown };
  /** Of its row, what is compared, as JSON can write it. */
  show(row: V): unknown;
  /** Judges what was shown last, by all sales. */
  judge(shown: unknown, sales: readonly Sale[], amounts: readonly number[]): void;
}

const sale = fc.record({
  item: fc.constantFrom('a', 'b', 'c', 'd'),
  amount: fc.option(fc.integer({ min: -50, max: 50 })),
});

/** By key, and in sessions that come to touch each other; plain, and with misses, commits and crashes. */
export function checkReady<V>({ aggregate, show, judge }: Law<V>): void {
  fc.assert(
    fc.property(fc.array(sale, { minLength: 1, maxLength: 20 }), fc.nat(), fc.boolean(), (sales, seed, merging) => {
      const program = programOf(merging, aggregate, show);
      const half = Math.ceil(sales.length / 2);
      const data = sales.map((value, i): Datum => {
        const timestamp = i < half ? 2 * i : 2 * (i - half) + 1;
        return { topic: 'sales', key: 'kk', value, timestamp };
      });
      const task = runPlainly(program, data);
      const amounts = sales.flatMap(({ amount }) => amount ?? []);
      judge(JSON.parse(task.written.items.at(-1)!.value as string), sales, amounts);
      assert.deepEqual(outcomeOf(runDisturbed(program, data, seed)), outcomeOf(task));
    }),
    { numRuns: 40, seed: 12 },
  );
}

/** A task of one aggregate that is given one sale. */
export function sell<V>(aggregate: Law<V>['aggregate'], value: Sale): void {
  const task = new TestTask(programOf(false, aggregate, () => 0));
  task.feed({ topic: 'sales', key: 'k', value, timestamp: 1 });
}

function programOf<V>(merging: boolean, aggregate: Law<V>['aggregate'], show: Law<V>['show']): TestProgram {
  const app = topology('ready');
  const grouped = app.stream(SALES).groupByKey();
  // The compiler is spared the union of two kinds of groups, whose calls are the same.
  const windowed = merging ? (grouped.window(session({ gap: 1, grace: 1000 })) as unknown as Sales) : grouped;
  const rows = aggregate(windowed).toStream() as ReturnType<ReturnType<typeof app.table<string, V, 1>>['toStream']>;
  const present = rows.filter((row) => row !== null);
  const out = topic('out', { key: string(), value: string(), partitions: 1 });
  present.map((row) => ['out', JSON.stringify(show(row as V))]).to(out);
  return testProgram(app.build());
}
