import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvFile } from '../../connectors/connectors.ts';
import { double, int64, json, string, windowed } from '../../schemas/schemas.ts';
import { expr, hopping, planHash, session, type Topology, topic, topology, tumbling } from '../../topology/topology.ts';
import type { WorkflowDocument } from '../document.ts';
import { documentOf, graphOf } from './jobs.fixture.ts';
import { segmentsOf } from './segments-of.ts';

/** A document and a program for the same job. */
interface Job {
  readonly name: string;
  readonly document: WorkflowDocument;
  program(app: Topology): void;
}

interface Order {
  readonly customer: string;
  readonly total: number;
  readonly at: number;
}
const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 4 });
const ORDERS = ['orders', 'source.topic', { topic: 'orders', partitions: 4 }] as const;

const JOBS: readonly Job[] = [
  {
    name: 'filter and map, topic to topic',
    document: documentOf(
      [
        ORDERS,
        ['large', 'op.filter', { where: 'value.total > 100' }],
        ['brief', 'op.map', { value: "{'total': value.total}" }],
        ['out', 'sink.topic', { topic: 'large', partitions: 4 }],
      ],
      ['orders > large', 'large > brief', 'brief > out'],
    ),
    program(app) {
      app
        .stream(orders)
        .filter(expr('value.total > 100'))
        .mapValues(expr<{ total: number }>("{'total': value.total}"))
        .to(topic('large', { key: string(), value: json<{ total: number }>(), partitions: 4 }));
    },
  },
  {
    name: 'sums of tumbling windows by another key, with event time',
    document: documentOf(
      [
        ['orders', 'source.topic', { topic: 'orders', partitions: 4, time: 'value.at' }],
        ['by', 'op.select-key', { key: 'value.customer', partitions: 2 }],
        ['minutes', 'op.window.tumbling', { size: '1m', grace: '10s' }],
        ['totals', 'op.aggregate', { function: 'sum', of: 'value.total' }],
        [
          'out',
          'sink.topic',
          { topic: 'totals', key: { windowed: 'string', size: '1m' }, value: 'double', partitions: 2 },
        ],
      ],
      ['orders > by', 'by > minutes', 'minutes > totals', 'totals > out'],
    ),
    program(app) {
      app
        .stream(orders, { time: expr<number>('value.at') })
        .selectKey(expr<string>('value.customer'))
        .repartition({ name: 'by', key: string(), partitions: 2 })
        .groupByKey()
        .window(tumbling({ minutes: 1 }, { grace: { seconds: 10 } }))
        .emitOnClose()
        .sum({ store: 'totals', of: expr<number>('value.total') })
        .toStream()
        .to(topic('totals', { key: windowed(string(), 60_000), value: double(), partitions: 2 }));
    },
  },
  {
    name: 'a table joined, and an aggregate of its own with updates',
    document: documentOf(
      [
        ORDERS,
        ['customers', 'source.topic', { topic: 'customers', partitions: 4 }],
        ['known', 'op.table', { store: 'customers' }],
        ['named', 'op.join', { how: 'left', merge: "{'total': value.total, 'name': row == null ? '' : row.name}" }],
        ['sum', 'op.aggregate', { function: 'aggregate', initial: "{'n': 0}", add: "{'n': aggregate.n + 1}" }],
        ['out', 'sink.topic', { topic: 'sums', partitions: 4 }],
      ],
      ['orders > named.in', 'customers > known', 'known > named.with', 'named > sum', 'sum > out'],
    ),
    program(app) {
      const customers = topic('customers', { key: string(), value: json<{ name: string }>(), partitions: 4 });
      const known = app.table(customers, { store: 'customers' });
      app
        .stream(orders)
        .leftJoinTable(known, {
          merge: expr<object>("{'total': value.total, 'name': row == null ? '' : row.name}"),
          name: 'named',
        })
        .groupByKey()
        .aggregate({
          store: 'sum',
          value: json<{ n: number }>(),
          initial: expr<{ n: number }>("{'n': 0}"),
          add: expr<{ n: number }>("{'n': aggregate.n + 1}"),
        })
        .toStream()
        .to(topic('sums', { key: string(), value: json<{ n: number }>(), partitions: 4 }));
    },
  },
  {
    name: 'a file to a topic, read again, hopping and session windows',
    document: documentOf(
      [
        ['file', 'source.file', { path: 'orders.csv', format: 'csv', key: 'value.customer', time: '7' }],
        ['write', 'sink.topic', { topic: 'orders', partitions: 4 }],
        ORDERS,
        ['hops', 'op.window.hopping', { size: '1m', advance: '10s' }],
        ['counts', 'op.aggregate', { function: 'count' }],
        ['a', 'sink.topic', { topic: 'a', key: { windowed: 'string', size: '1m' }, value: 'int64', partitions: 4 }],
        ['visits', 'op.window.session', { gap: '30s' }],
        ['largest', 'op.aggregate', { function: 'max', of: 'value.total', emit: 'updates' }],
        ['b', 'sink.topic', { topic: 'b', key: 'json', value: 'double', partitions: 4 }],
      ],
      [
        'file > write',
        'orders > hops',
        'hops > counts',
        'counts > a',
        'orders > visits',
        'visits > largest',
        'largest > b',
      ],
    ),
    program(app) {
      app
        .read(csvFile('orders.csv'), {
          name: 'file',
          key: expr<string>('value.customer'),
          keySerde: string(),
          value: json<Record<string, string>>(),
          time: expr<number>('7'),
        })
        .to(orders as never);
      const grouped = app.stream(orders).groupByKey();
      grouped
        .window(hopping({ minutes: 1 }, { advance: { seconds: 10 } }))
        .emitOnClose()
        .count({ store: 'counts' })
        .toStream()
        .to(topic('a', { key: windowed(string(), 60_000), value: int64(), partitions: 4 }));
      grouped
        .window(session<Order, string>({ gap: { seconds: 30 } }))
        .max({ store: 'largest', of: expr<number>('value.total') })
        .toStream()
        .to(topic('b', { key: json<never>(), value: double(), partitions: 4 }) as never);
    },
  },
  {
    name: 'two streams joined',
    document: documentOf(
      [
        ORDERS,
        ['paid', 'source.topic', { topic: 'paid', partitions: 4 }],
        ['both', 'op.join', { before: '1m', after: '2m', grace: '5s', merge: "{'paid': right.sum}" }],
        ['out', 'sink.topic', { topic: 'both', partitions: 4 }],
      ],
      ['orders > both.in', 'paid > both.with', 'both > out'],
    ),
    program(app) {
      const left = app.stream(orders);
      const paid = app.stream(topic('paid', { key: string(), value: json<{ sum: number }>(), partitions: 4 }));
      left
        .joinStream(paid, {
          name: 'both',
          within: { before: { minutes: 1 }, after: { minutes: 2 }, grace: { seconds: 5 } },
          merge: expr<{ paid: number }>("{'paid': right.sum}"),
        })
        .to(topic('both', { key: string(), value: json<{ paid: number }>(), partitions: 4 }));
    },
  },
];

for (const { name, document, program } of JOBS) {
  test(`a document and a program give the same plan: ${name}`, () => {
    const graph = graphOf(document);
    const segments = segmentsOf(graph);
    assert.equal(segments.length, 1);
    const made = segments[0]!.program({ name: 'job', graph, input: null, values: {} });
    const app = topology('job');
    program(app);
    const { plan } = app.build();
    assert.deepEqual(made.program.plan, plan);
    assert.equal(JSON.stringify(made.program.plan), JSON.stringify(plan));
    assert.equal(planHash(made.program.plan), planHash(plan));
    for (const { id } of plan.nodes) assert.ok(made.owners.has(id), `${id} belongs to nobody`);
  });
}
