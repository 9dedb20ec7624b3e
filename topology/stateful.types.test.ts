import { test } from 'node:test';
import { int64, json, type Mean, string, type TopItem, type Windowed } from '../schemas/schemas.ts';
import { type LateStream, type Stream, type Table, topic, topology, tumbling, type WindowedTable } from './topology.ts';

/** Checked by the compiler; what must not compile is marked. At run time the calls only build a plan. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Order {
  readonly item: string;
  readonly amount: number;
}
const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 12 });
const returns = topic('returns', { key: string(), value: json<{ readonly count: number }>(), partitions: 12 });
const few = topic('few', { key: string(), value: json<Order>(), partitions: 6 });
const numbered = topic('numbered', { key: int64(), value: json<Order>(), partitions: 12 });

function sources() {
  const t = topology('types');
  return { t, stream: t.stream(orders), table: t.table(returns, { store: 'returns' }) };
}

test('suppression waits for time on any table, and for windows where there are some', () => {
  const { stream, table } = sources();
  const calm = table.suppress({ untilTimeLimit: { seconds: 5 }, store: 'calm' }).toStream();
  same<typeof calm, Stream<string, { readonly count: number } | null, 12>>();
  // @ts-expect-error a plain key has no window
  table.suppress({ untilWindowCloses: true, store: 'no-window' });
  const joinedHeld = table.joinTable(table.suppress({ untilTimeLimit: 1, store: 'held' }), { merge: (own) => own });
  same<typeof joinedHeld, Table<string, { readonly count: number }, 12>>();
  const perMinute = stream
    .groupByKey()
    .window(tumbling({ minutes: 1 }))
    .count({ store: 'per-minute' });
  const waiting = perMinute.suppress({ untilWindowCloses: true, store: 'waiting', maxRecords: 10 });
  waiting.joinTable(waiting, { merge: (a) => a });
  waiting.joinTable(perMinute.suppress({ untilWindowCloses: true, store: 'unbounded' }), { merge: (a) => a });
  // @ts-expect-error final rows without a buffer cannot be looked up
  waiting.joinTable(perMinute.suppress(), { merge: (a) => a });
  // @ts-expect-error of versions of a row the newest is not the last to come
  sources().t.table(orders, { store: 'versions', history: 5 }).suppress({ untilTimeLimit: 5, store: 'versioned' });
  // @ts-expect-error a buffer has a store
  table.suppress({ untilTimeLimit: 5 });
  // @ts-expect-error what to wait for is to be said
  table.suppress();
  const counts = stream.groupByKey().window(tumbling(10)).count({ store: 'w' });
  const finals = counts.suppress({ untilWindowCloses: true, store: 'finals', maxRecords: 10 }).toStream();
  same<typeof finals, Stream<Windowed<string>, number, 12>>();
  counts.suppress({ untilTimeLimit: 10, store: 'limited', whenFull: 'emit-early' });
  // @ts-expect-error no window comes out before it closes
  counts.suppress({ untilWindowCloses: true, store: 'early', whenFull: 'emit-early' });
});

test('streams with one aggregate have equal keys and counts', () => {
  const { t, stream } = sources();
  const back = t.stream(returns).groupByKey();
  const both = stream
    .groupByKey()
    .cogroup((total: number, order) => total + order.amount)
    .cogroup(back, (total, row, key) => total - row.count - key.length);
  const totals = both.aggregate({ store: 'totals', value: int64(), initial: () => 0 });
  same<typeof totals, Table<string, number, 12, never>>();
  const perWindow = both.window(tumbling(10)).aggregate({ store: 'windows', value: int64(), initial: () => 0 });
  same<typeof perWindow, WindowedTable<string, number, 12>>();
  // @ts-expect-error the aggregate is a number
  both.aggregate({ store: 'texts', value: string(), initial: () => '' });
  // @ts-expect-error partition counts differ
  both.cogroup(t.stream(few).groupByKey(), (total) => total);
  // @ts-expect-error key types differ
  both.cogroup(t.stream(numbered).groupByKey(), (total) => total);
  // @ts-expect-error a table is no grouped stream
  both.cogroup(t.table(topic('rows', { key: string(), value: json<Order>(), partitions: 12 }), { store: 'r' }), add);
  function add(total: number): number {
    return total;
  }
});

test('ready aggregates know their rows', () => {
  const { stream } = sources();
  const grouped = stream.groupByKey();
  const of = (order: Order) => order.amount;
  const sum = grouped.sum({ store: 'sum', of });
  same<typeof sum, Table<string, number, 12, never>>();
  const mean = grouped.window(tumbling(10)).mean({ store: 'mean', of: (order) => order.amount, retention: 100 });
  same<typeof mean, WindowedTable<string, Mean, 12>>();
  const top = grouped.topK({ store: 'top', k: 3, id: (order) => order.item, score: of });
  same<typeof top, Table<string, readonly TopItem[], 12, never>>();
  const estimates = grouped
    .distinctCount({ store: 'distinct', of: (order, key) => `${order.item}${key}` })
    .toStream()
    .mapValues((count) => count.estimate);
  same<typeof estimates, Stream<string, number, 12>>();
  // @ts-expect-error a text is no number
  grouped.sum({ store: 'text', of: (order) => order.item });
  // @ts-expect-error orders cannot be told apart as they are
  grouped.distinctCount({ store: 'orders', of: (order) => order });
});

test('deduplication and differences keep key and count, and need a settled key', () => {
  const { stream } = sources();
  const once = stream.deduplicate({ within: { minutes: 1 }, store: 'once', by: (order) => order.item });
  same<typeof once, LateStream<string, Order, 12, Order>>();
  const steps = stream.difference({ store: 'steps', fn: (order, before) => order.amount - before.amount });
  same<typeof steps, LateStream<string, number, 12, Order>>();
  const stale = stream.selectKey((order) => order.item);
  // @ts-expect-error the key changed
  stale.deduplicate({ within: 1, store: 'stale' });
  // @ts-expect-error the key changed
  stale.difference({ store: 'stale', fn: () => 1 });
  // @ts-expect-error what makes records the same is a text
  stream.deduplicate({ within: 1, store: 'wrong', by: (order) => order.amount });
});
