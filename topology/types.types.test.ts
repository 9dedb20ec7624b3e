import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../connectors/connectors.ts';
import type { ProcessContext, Processor } from '../operators/operators.ts';
import { avro, double, int64, json, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  hopping,
  type JoinedStream,
  keyValueStore,
  type Scheme,
  type SourceLike,
  type Stream,
  type Table,
  topic,
  topology,
  tumbling,
} from './topology.ts';

/** Checked by the compiler; what must not compile is marked. At run time the calls only build a plan. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Order {
  readonly status: 'open' | 'paid';
  readonly customer: string;
  readonly amount: number;
}
interface Customer {
  readonly tier: string;
}

const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 12 });
const customers = topic('customers', { key: string(), value: json<Customer>(), partitions: 12 });
const few = topic('few', { key: string(), value: json<Customer>(), partitions: 6 });
const numbered = topic('numbered', { key: int64(), value: json<Customer>(), partitions: 12 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 12 });
const perMinute = topic('per-minute', { key: windowed(string(), 60_000), value: int64(), partitions: 12 });

function sources() {
  const t = topology('types');
  return { t, stream: t.stream(orders), table: t.table(customers, { store: 'customers' }) };
}

test('handles carry key, value and scheme', () => {
  const { stream, table } = sources();
  same<typeof stream, Stream<string, Order, 12>>();
  same<typeof table, Table<string, Customer, 12>>();
  const rekeyed = stream.selectKey((order) => order.amount);
  same<typeof rekeyed, Stream<number, Order, 'stale'>>();
  const back = rekeyed.repartition({ name: 'by-amount', key: double(), partitions: 3 });
  same<typeof back, Stream<number, Order, 3>>();
  const values = stream.mapValues((order, key) => ({ key, amount: order.amount }));
  same<typeof values, Stream<string, { key: string; amount: number }, 12>>();
  const pairs = stream.map((order) => [order.amount, order.status] as const);
  same<typeof pairs, Stream<number, 'open' | 'paid', 'stale'>>();
  const many = stream.flatMap((order) => [[order.customer, order.amount]]);
  same<typeof many, Stream<string, number, 'stale'>>();
  const rows = table.toStream();
  same<typeof rows, Stream<string, Customer | null, 12>>();
});

test('type guards narrow, in filter and in branch', () => {
  const { stream } = sources();
  const paid = stream.filter((order): order is Order & { status: 'paid' } => order.status === 'paid');
  same<typeof paid, Stream<string, Order & { status: 'paid' }, 12>>();
  const arms = stream.branch({
    open: (order): order is Order & { status: 'open' } => order.status === 'open',
    large: (order, key) => order.amount > key.length,
    rest: true,
  });
  same<typeof arms.open, Stream<string, Order & { status: 'open' }, 12>>();
  same<typeof arms.large, Stream<string, Order, 12>>();
  same<typeof arms.rest, Stream<string, Order, 12>>();
  // @ts-expect-error no such arm
  arms.other;
});

test('values that are made keep the key, and forEach is an end', () => {
  const { stream } = sources();
  const words = stream.flatMapValues((order, key) => [order.customer, key]);
  same<typeof words, Stream<string, string, 12>>();
  words.groupByKey().count({ store: 'words' });
  const end = stream.forEach((order) => void order.amount);
  same<typeof end, void>();
  // @ts-expect-error nothing comes of it
  assert.throws(() => stream.forEach(() => {}).to(orders), TypeError);
  // @ts-expect-error an amount is no list
  stream.flatMapValues((order) => order.amount);
  // @ts-expect-error the key changed
  stream.flatMap((order, key) => [[key, order] as const]).groupByKey();
});

test('aggregates type their rows, windows their keys', () => {
  const { stream } = sources();
  const grouped = stream.groupByKey();
  const count = grouped.count({ store: 'count' });
  same<typeof count, Table<string, number, 12, never>>();
  const sums = avro({ type: 'record', name: 'Sums', fields: [{ name: 'total', type: 'long' }] });
  const total = grouped.window(hopping({ minutes: 2 }, { advance: { minutes: 1 } })).aggregate({
    store: 'total',
    value: sums,
    initial: () => ({ total: 0 }),
    add(row, order) {
      row.total += order.amount;
    },
  });
  const late = total.late();
  same<typeof late, Stream<string, Order, 12>>();
  const finals = total.suppress().toStream();
  same<typeof finals, Stream<Windowed<string>, { total: number }, 12>>();
  grouped.aggregate({
    store: 'new-one',
    value: int64(),
    initial: () => 0,
    add: (sum, order) => sum + order.amount,
  });
  grouped.aggregate({
    store: 'wrong',
    value: int64(),
    initial: () => 0,
    // @ts-expect-error the new aggregate is no number
    add: (_sum, order) => order.customer,
  });
  // @ts-expect-error only windowed results have finals
  count.suppress();
});

test('a table knows whether it keeps a history, and only then a join may wait', () => {
  const { t, stream, table } = sources();
  const kept = t.table(few, { store: 'few', history: { hours: 1 } });
  same<typeof kept, Table<string, Customer, 6, null, 'kept'>>();
  const counted = t.stream(counts).toTable({ store: 'counted', history: 5 });
  same<typeof counted, Table<string, number, 12, null, 'kept'>>();
  const merge = (order: Order, count: number) => order.amount + count;
  const waits = stream.joinTable(counted, { merge, name: 'waits', grace: { ms: 5 } });
  same<typeof waits, JoinedStream<string, number, 12, Order>>();
  const left = stream.leftJoinTable(counted, {
    merge: (order, count) => `${order.amount} ${count}`,
    name: 'left',
    grace: 1,
  });
  same<typeof left, JoinedStream<string, string, 12, Order>>();
  // @ts-expect-error the table keeps no history
  stream.joinTable(table, { merge: (order) => order, name: 'wrong', grace: 5 });
  // @ts-expect-error what waits has a name
  stream.joinTable(counted, { merge, grace: 5 });
});

test('a join needs equal keys, equal counts and a settled key', () => {
  const { t, stream, table } = sources();
  const merge = (order: Order, customer: Customer) => ({ ...order, ...customer });
  const joined = stream.joinTable(table, { merge });
  same<
    typeof joined,
    Stream<string, { tier: string; status: 'open' | 'paid'; customer: string; amount: number }, 12>
  >();
  const outer = stream.leftJoinTable(table, { merge: (order, row) => row?.tier ?? order.status });
  same<typeof outer, Stream<string, string, 12>>();
  stream.joinTable(table, {
    // @ts-expect-error the rows have no such field
    merge: (_order, customer) => customer.name,
  });
  // @ts-expect-error partition counts differ
  stream.joinTable(t.table(few, { store: 'few' }), { merge });
  // @ts-expect-error key types differ
  stream.joinTable(t.table(numbered, { store: 'numbered' }), { merge });
  const stale = stream.selectKey((order) => order.customer);
  // @ts-expect-error the key changed
  stale.joinTable(table, { merge });
  // @ts-expect-error the key changed
  stale.leftJoinTable(table, { merge: (order) => order });
  const perSecond = stream.groupByKey().window(tumbling(1000)).count({ store: 'w' }).toStream();
  // @ts-expect-error a windowed key is no plain key
  perSecond.joinTable(table, { merge: () => 1 });
});

test('a join of streams types its sides, and needs equal keys, equal counts and settled keys', () => {
  const { t, stream } = sources();
  const other = t.stream(customers);
  const within = { before: { minutes: 5 }, after: { hours: 1 }, grace: 0 };
  const pairs = stream.joinStream(other, {
    name: 'pairs',
    within,
    merge: (order, customer, key) => ({ key, tier: customer.tier, amount: order.amount }),
  });
  same<typeof pairs, JoinedStream<string, { key: string; tier: string; amount: number }, 12, Order | Customer>>();
  const late = pairs.late();
  same<typeof late, Stream<string, Order | Customer, 12>>();
  const left = stream.leftJoinStream(other, {
    name: 'left',
    within,
    merge: (order, customer) => customer?.tier ?? order.status,
  });
  same<typeof left, JoinedStream<string, string, 12, Order | Customer>>();
  const outer = stream.outerJoinStream(other, {
    name: 'outer',
    within,
    merge: (order, customer) => [order?.amount, customer?.tier] as const,
  });
  same<typeof outer, JoinedStream<string, readonly [number | undefined, string | undefined], 12, Order | Customer>>();
  const merge = () => 1;
  // a stream of changes has nulls, which never come to a join
  const changes = t.table(topic('rows', { key: string(), value: json<Customer>(), partitions: 12 }), { store: 'rows' });
  stream.joinStream(changes.toStream(), { name: 'changes', within, merge: (_order, row) => row.tier });
  // @ts-expect-error the right side may be missing
  stream.leftJoinStream(other, { name: 'a', within, merge: (_order, customer) => customer.tier });
  // @ts-expect-error the left side may be missing
  stream.outerJoinStream(other, { name: 'b', within, merge: (order) => order.amount });
  // @ts-expect-error it needs a name for its stores
  stream.joinStream(other, { within, merge });
  // @ts-expect-error it needs both bounds
  assert.throws(() => stream.joinStream(other, { name: 'c', within: { before: 1 }, merge }), /after of join c must be/);
  // @ts-expect-error partition counts differ
  stream.joinStream(t.stream(topic('few-too', { key: string(), value: int64(), partitions: 6 })), {
    name: 'd',
    within,
    merge,
  });
  // @ts-expect-error key types differ
  stream.joinStream(t.stream(numbered), { name: 'e', within, merge });
  const stale = stream.selectKey((order) => order.customer);
  // @ts-expect-error the key changed
  stale.joinStream(other, { name: 'f', within, merge });
  // @ts-expect-error the key of the other stream changed
  other.joinStream(stale, { name: 'g', within, merge });
  // @ts-expect-error a table is no stream
  stream.joinStream(changes, { name: 'h', within, merge });
  // @ts-expect-error a stream is no table
  stream.joinTable(other, { merge });
  // the same types within a generic operator
  function near<K, V, W, P extends number>(from: Stream<K, V, P>, to: Stream<K, W, P>): Stream<K, string, P> {
    return from.joinStream(to, { name: 'near', within, merge: (a, b) => `${a}${b}` });
  }
  const generic = near(stream, other);
  same<typeof generic, Stream<string, string, 12>>();
});

test('a keyed operation needs a settled key', () => {
  const { t, stream } = sources();
  const stale = stream.selectKey((order) => order.customer);
  // @ts-expect-error the key changed
  stale.groupByKey();
  // @ts-expect-error the key changed
  stale.toTable({ store: 'stale' });
  const source: SourceLike<Order> = { description: 'made', bounded: true, open: async () => assert.fail() };
  const read = t.read(source, {
    name: 'made',
    key: (order) => order.customer,
    keySerde: string(),
    value: json<Order>(),
    time: () => 0,
  });
  same<typeof read, Stream<string, Order, 'stale'>>();
  // @ts-expect-error a connector has partitions of its own
  read.groupByKey();
  read.to(orders);
  stale.repartition({ name: 'settled', key: string(), partitions: 4 }).groupByKey().count({ store: 'settled' });
});

test('merging streams of different counts leaves a stale one', () => {
  const { t, stream } = sources();
  const both = stream.merge(t.stream(customers));
  same<typeof both, Stream<string, Order | Customer, 12>>();
  const uneven = stream.merge(t.stream(few));
  same<typeof uneven, Stream<string, Order | Customer, 'stale'>>();
});

test('a sink takes what its topic holds', () => {
  const { stream, table } = sources();
  stream.selectKey((order) => order.customer).to(orders);
  stream.mapValues((order) => ({ ...order, more: true })).to(orders);
  table.toStream().to(customers);
  stream.groupByKey().count({ store: 'c' }).toStream().to(counts);
  // @ts-expect-error an order is no customer: `tier` is missing
  stream.to(customers);
  // @ts-expect-error keys differ
  stream.selectKey((order) => order.amount).to(orders);
  // @ts-expect-error a plain key is no windowed key
  stream.mapValues(() => 1).to(perMinute);
  stream.groupByKey().window(tumbling(60_000)).count({ store: 'w' }).suppress().toStream().to(perMinute);
});

test('user operators are generic functions and keep the rules', () => {
  const { t, stream } = sources();
  const largest =
    (least: number) =>
    <K, V extends { readonly amount: number }, P extends Scheme>(from: Stream<K, V, P>): Stream<K, V, P> =>
      from.filter((value) => value.amount >= least);
  const large = stream.via(largest(10));
  same<typeof large, Stream<string, Order, 12>>();
  // Rules without conditional types hold for any key and any count.
  function tally<K, V, P extends number>(from: Stream<K, V, P>, rows: Table<K, Customer, P>): Stream<K, string, P> {
    from.groupByKey().count({ store: 'tally' });
    return from.joinTable(rows, { merge: (_value, row) => row.tier });
  }
  const tallied = stream.via((from) => tally(from, t.table(customers, { store: 'again' })));
  same<typeof tallied, Stream<string, string, 12>>();
});

test('a user operator says what it forwards', () => {
  const { stream } = sources();
  const stores = [keyValueStore('seen', { key: string(), value: int64() })];
  const out = stream.process({
    name: 'typed',
    stores,
    supplier: () => ({
      init(context: ProcessContext<number, string>) {
        context.schedule({ seconds: 1 }, 'stream', () => {});
      },
      process(order, key, context: ProcessContext<number, string>) {
        context.forward(order.amount, key);
      },
    }),
  });
  same<typeof out, Stream<number, string, 'stale'>>();
  const kept = stream.processValues({
    name: 'kept',
    stores,
    value: int64(),
    supplier: (): Processor<string, Order, string, number> => ({
      process(order, key, context) {
        context.store<string, number>('seen').put(key, order.amount);
        context.forward(key, order.amount);
      },
    }),
  });
  same<typeof kept, Stream<string, number, 12>>();
  stream.processValues({
    name: 'rekeying',
    // @ts-expect-error it promises to keep the key
    supplier: (): Processor<string, Order, number, number> => assert.fail(),
  });
});

test('connectors fit as they are', () => {
  const { t } = sources();
  const rows = t.read(generator({ count: 3, make: (n) => ({ n }) }), {
    name: 'rows',
    key: ({ n }) => n,
    keySerde: int64(),
    value: json<{ n: number }>(),
    time: ({ n }) => n,
  });
  same<typeof rows, Stream<number, { n: number }, 'stale'>>();
});
