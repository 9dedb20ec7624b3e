import { test } from 'node:test';
import { int64, json, string, type Windowed } from '../schemas/schemas.ts';
import { type GroupedTable, type Stream, type Table, topic, topology, tumbling } from './topology.ts';

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
type Paid = Order & { readonly status: 'paid' };

const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 12 });
const customers = topic('customers', { key: string(), value: json<Customer>(), partitions: 12 });
const few = topic('few', { key: string(), value: json<Customer>(), partitions: 6 });
const numbered = topic('numbered', { key: int64(), value: json<Customer>(), partitions: 12 });

function sources() {
  const t = topology('types');
  const table = t.table(orders, { store: 'orders' });
  return { t, table, other: t.table(customers, { store: 'customers' }) };
}

test('what is made of a table is a table', () => {
  const { table } = sources();
  const paid = table.filter((order): order is Paid => order.status === 'paid', { store: 'paid' });
  same<typeof paid, Table<string, Paid, 12>>();
  const open = table.filterNot((order, key) => order.status === key);
  same<typeof open, Table<string, Order, 12>>();
  const amounts = table.mapValues((order) => (order.amount > 0 ? order.amount : null));
  same<typeof amounts, Table<string, number, 12>>();
  const rows = amounts.toStream();
  same<typeof rows, Stream<string, number | null, 12>>();
  table.mapValues((order) => order.amount, { store: 'amounts', value: int64() });
  // @ts-expect-error texts are no numbers
  table.mapValues((order) => order.customer, { store: 'customers-of', value: int64() });
});

test('windowed tables keep their keys', () => {
  const { t } = sources();
  const counts = t.stream(orders).groupByKey().window(tumbling(1000)).count({ store: 'w' });
  const many = counts.filter((count) => count > 3);
  same<typeof many, Table<Windowed<string>, number, 12>>();
  counts.groupBy((count, { key }) => [key, count], { name: 'g', key: string(), value: int64(), partitions: 2 });
});

test('joined tables have equal keys and equal counts', () => {
  const { t, table, other } = sources();
  const merge = (order: Order, customer: Customer) => ({ ...order, tier: customer.tier });
  const inner = table.joinTable(other, { merge, name: 'inner' });
  same<typeof inner, Table<string, { tier: string; status: 'open' | 'paid'; customer: string; amount: number }, 12>>();
  const left = table.leftJoinTable(other, { merge: (order, row) => row?.tier ?? order.status });
  same<typeof left, Table<string, string, 12>>();
  const outer = table.outerJoinTable(other, {
    ...{ store: 'outer', value: int64() },
    merge: (order, row) => (row === null ? null : (order?.amount ?? 0)),
  });
  same<typeof outer, Table<string, number, 12>>();
  // @ts-expect-error the left row may be missing
  table.outerJoinTable(other, { merge: (order) => order.amount });
  // @ts-expect-error partition counts differ
  table.joinTable(t.table(few, { store: 'few' }), { merge });
  // @ts-expect-error key types differ
  table.joinTable(t.table(numbered, { store: 'numbered' }), { merge });
  // @ts-expect-error a stream is no table
  table.joinTable(t.stream(customers), { merge });
  t.stream(orders).joinTable(left, { merge: (order, text) => `${order.amount}${text}` });
});

test('a grouped table has an adder and a subtractor', () => {
  const { table } = sources();
  const by = { name: 'by-customer', key: string(), value: int64(), partitions: 3 } as const;
  const grouped = table.groupBy((order) => [order.customer, order.amount], by);
  same<typeof grouped, GroupedTable<string, number, 3>>();
  const counts = grouped.count({ store: 'count' });
  same<typeof counts, Table<string, number, 3>>();
  const sums = grouped.reduce({
    ...{ store: 'sum', value: int64() },
    add: (sum, amount) => sum + amount,
    subtract: (sum, amount) => sum - amount,
  });
  same<typeof sums, Table<string, number, 3>>();
  const lists = grouped.aggregate({
    ...{ store: 'list', value: json<number[]>() },
    initial: () => [],
    add(list, amount) {
      list.push(amount);
    },
    subtract: (list, amount, key) => list.filter((each) => each !== amount && key !== ''),
  });
  same<typeof lists, Table<string, number[], 3>>();
  // @ts-expect-error what was added must be taken away again
  grouped.reduce({ store: 'no', value: int64(), add: (sum, amount) => sum + amount });
  // @ts-expect-error the key is no number
  table.groupBy((order) => [order.amount, order.amount], { ...by, name: 'wrong' });
  // @ts-expect-error only windows have final results
  counts.suppress();
});
