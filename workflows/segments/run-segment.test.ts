import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { json, string } from '../../schemas/schemas.ts';
import type { WorkflowDocument } from '../document.ts';
import { checkBalance } from './balance.ts';
import { memoryHost, type RunWords, runDocument, taskOf, topicsOfRuns } from './host.fixture.ts';
import { documentOf, graphOf } from './jobs.fixture.ts';
import { putRecords } from './put-record.ts';
import { forgetSegment, runSegment, SEGMENT_DEAD_LETTERS, type SegmentHost, segmentName } from './run-segment.ts';
import { countedOf } from './segment-figures.ts';
import type { SegmentFigures } from './segments.ts';
import { segmentsOf } from './segments-of.ts';

const ITEMS = Array.from({ length: 100 }, (_, n) => ({ n, user: `u${n % 3}`, at: n * 1000 }));

const COUNTS = documentOf(
  [
    ['items', 'map.items', { items: 'input', time: 'value.at' }],
    ['even', 'op.filter', { where: 'value.n % 2 == 0' }],
    ['by', 'op.select-key', { key: "value.user == 'u2' ? null : value.user", partitions: 2 }],
    ['spans', 'op.window.tumbling', { size: '10s' }],
    ['counts', 'op.aggregate', { function: 'count' }],
    ['all', 'collect'],
  ],
  ['items > even', 'even > by', 'by > spans', 'spans > counts', 'counts > all'],
);

/** Runs a document; `until` waits for what it tells of itself, which it does as soon as it has begun. */
function watched(host: SegmentHost, document: WorkflowDocument, words: RunWords) {
  let told: SegmentFigures | undefined;
  const progress = (figures: SegmentFigures) => {
    told = figures;
  };
  const running = runDocument({ ...host, tellEveryMs: 1 }, document, { ...words, progress });
  running.catch(() => undefined);
  const until = async (holds: (figures: SegmentFigures) => boolean) => {
    while (told === undefined || !holds(told)) await systemClock.sleep(2);
  };
  return { running, until, begun: () => until(() => true) };
}

test('counters by node and edge, and the life of inner nodes', { timeout: 240_000 }, async () => {
  // so long that it tells of transitions alone
  const host = memoryHost({ tellEveryMs: 3_600_000 });
  const told: SegmentFigures[] = [];
  const { figures, outputs } = await runDocument(host, COUNTS, {
    input: ITEMS as Json,
    progress: (each) => told.push(each),
  });
  const { nodes, edges } = figures;
  assert.deepEqual([nodes['items']!.in, nodes['items']!.out], [100, 100]);
  assert.deepEqual([nodes['even']!.in, nodes['even']!.out, nodes['even']!.filtered], [100, 50, 50]);
  const dropped = Object.values(nodes['by']!.dropped).reduce((sum, count) => sum + count, 0);
  const keyed = ITEMS.filter(({ n, user }) => n % 2 === 0 && user !== 'u2').length;
  assert.deepEqual([nodes['by']!.in, dropped, nodes['by']!.out], [50, 50 - keyed, keyed]);
  assert.deepEqual([nodes['spans']!.in, nodes['counts']!.in], [keyed, keyed]);
  const values = outputs['all.out'] as readonly number[];
  assert.equal(nodes['counts']!.out, values.length);
  assert.equal(
    values.reduce((sum, count) => sum + count, 0),
    keyed,
  );
  assert.equal(edges['items.out>even.in'], 100);
  assert.equal(edges['counts.out>all.in'], values.length);
  assert.ok(told.length >= 1 && told.length <= 7, `told ${told.length} times`);
  assert.ok(Object.values(told[0]!.nodes).every(({ status }) => status === 'RUNNING'));
  await host.log.close();
});

test('what is brought elsewhere has not passed before it is there', { timeout: 240_000 }, async () => {
  const host = memoryHost({ tellEveryMs: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-passed-'));
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['file', 'sink.file', { path: join(folder, 'out.jsonl') }],
      ['out', 'sink.topic', { topic: 'out' }],
    ],
    ['items > file', 'items > out'],
  );
  const told: SegmentFigures[] = [];
  const { figures } = await runDocument(host, document, { input: [1, 2], progress: (each) => told.push(each) });
  assert.ok(told.every(({ nodes }) => nodes['file']!.status === 'RUNNING'));
  assert.equal(told.at(-1)!.nodes['out']!.status, 'COMPLETED');
  assert.equal(figures.nodes['file']!.status, 'COMPLETED');
  rmSync(folder, { recursive: true });
  await host.log.close();
});

test('late records are counted where they came too late', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const items = [0, 50_000, 1000].map((at) => ({ n: 0, user: 'u0', at }));
  const { figures } = await runDocument(host, COUNTS, { input: items as Json });
  assert.equal(figures.nodes['counts']!.dropped['late'], 1);
  await host.log.close();
});

test('a difference of records fails the segment', () => {
  const graph = graphOf(COUNTS);
  const [segment] = segmentsOf(graph);
  const made = segment!.program({ name: 'job', graph, input: [], values: {} });
  const node = (id: string) => made.program.plan.nodes.find((each) => made.owners.get(each.id) === id)!.id;
  const rows = (counts: readonly (readonly [node: string, count: number])[]) =>
    counts.map(([id, count]) => ({
      name: 'nodeflow_node_records_total',
      help: '',
      type: 'counter' as const,
      labels: { node: id },
      values: [count],
    }));
  const plan = made.program.plan.nodes;
  const repartition = plan.find(({ kind }) => kind === 'repartition')!.id;
  const aggregate = plan.find(({ kind }) => kind === 'aggregate')!.id;
  const whole = [
    [node('items'), 10],
    [node('even'), 10],
    [node('by'), 5],
    [repartition, 5],
  ] as const;
  const counted = (last: number) => countedOf(graph, segment!.nodes, made, rows([...whole, [aggregate, last]]));
  checkBalance(graph, segment!.nodes, made, counted(5), new Map());
  for (const last of [4, 6]) {
    assert.throws(() => checkBalance(graph, segment!.nodes, made, counted(last), new Map()), {
      code: 'workflow.records-lost',
      message: /node by: 5 records left, and . came of them/,
    });
  }
  assert.throws(() => checkBalance(graph, segment!.nodes, made, counted(5), new Map([['all', 3]])), {
    code: 'workflow.records-lost',
  });
});

test('more than a collect allows is refused, and nothing is cut', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['all', 'collect', { limit: 3 }],
    ],
    ['items > all'],
  );
  await assert.rejects(runDocument(host, document, { input: [1, 2, 3, 4] }), { code: 'workflow.too-many-records' });
  await host.log.close();
});

test('a run that was stopped goes on, and one that is complete answers again', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const items = Array.from({ length: 60_000 }, (_, n) => n);
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['by', 'op.select-key', { key: 'string(value % 7)', partitions: 3 }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
      ['all', 'collect', { newest: true, limit: 100 }],
    ],
    ['items > by', 'by > sums', 'sums > all'],
  );
  let stops = 0;
  let outputs: Json = null;
  for (; stops < 50; stops++) {
    const stop = new AbortController();
    const running = runDocument(host, document, { input: items, stop: stop.signal });
    if (stops < 3) void systemClock.sleep(60).then(() => stop.abort());
    const result = await running;
    if (result.how === 'complete') {
      outputs = result.outputs['all.out']!;
      break;
    }
    assert.equal(result.how, 'stopped');
  }
  const expected: Record<string, number> = {};
  for (const n of items) expected[n % 7] = (expected[n % 7] ?? 0) + n;
  assert.deepEqual(outputs, expected);
  const again = await runDocument(host, document, { input: items });
  assert.deepEqual(again.outputs['all.out'], expected);
  assert.ok(stops > 0, 'it was never stopped');
  await host.log.close();
});

test('cancel leaves what there is, and forgetting nothing', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  await host.log.admin.create('orders', { partitions: 1 });
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['all', 'collect'],
    ],
    ['orders > all'],
  );
  const cancel = new AbortController();
  const { running, begun } = watched(host, document, { mode: 'streaming', cancel: cancel.signal });
  await begun();
  const own = async () =>
    (await host.log.admin.list()).filter((topic) => topic !== 'orders' && topic !== SEGMENT_DEAD_LETTERS);
  assert.ok((await own()).length > 1);
  cancel.abort(new Error('not wanted'));
  await assert.rejects(running, /not wanted/);
  assert.ok((await own()).length > 1);
  for (let times = 0; times < 2; times++) await forgetSegment(host, 'wf.run.first');
  assert.deepEqual(await own(), []);
  await runDocument(host, document, {});
  assert.ok((await topicsOfRuns(host)).length > 1);
  await forgetSegment(host, 'wf.run.first');
  assert.deepEqual(await topicsOfRuns(host), []);
  await host.log.close();
});

function countOrders(...before: readonly [string, string, Record<string, Json>][]) {
  const chain = ['orders', ...before.map(([id]) => id), 'counts'];
  return documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ...before,
      ['counts', 'op.aggregate', { function: 'count' }],
      ['out', 'sink.topic', { topic: 'counts', value: 'int64' }],
      ['all', 'collect', { newest: true }],
    ],
    [...chain.slice(1).map((id, i) => `${chain[i]} > ${id}`), 'counts > out', 'counts > all'],
  );
}

test('a savepoint hands its state to the next version', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  const orders = { name: 'orders', partitions: 1, key: string(), value: json() };
  const put = (...totals: readonly number[]) =>
    putRecords(
      host.log,
      orders,
      totals.map((total, i) => ({ key: 'ann', value: { total }, timestamp: i })),
    );
  await put(1, 200, 300);
  const savepoint = new AbortController();
  const first = watched(host, countOrders(), { mode: 'streaming', savepoint: savepoint.signal });
  await first.until(({ nodes }) => nodes['counts']!.in === 3);
  savepoint.abort();
  assert.equal((await first.running).how, 'savepoint');
  await put(50, 400);
  const end = new AbortController();
  const next = countOrders(['large', 'op.filter', { where: 'value.total > 100' }]);
  const second = watched(host, next, { mode: 'streaming', end: end.signal });
  await second.begun();
  end.abort();
  const { how, outputs, figures } = await second.running;
  assert.equal(how, 'complete');
  // three from before, and the large one of those that came
  assert.deepEqual(outputs['all.out'], { ann: 4 });
  // what the version before has taken is counted too, along the edges that there were
  const { orders: taken, large, counts } = figures.nodes;
  assert.deepEqual([taken!.in, large!.in, large!.filtered, large!.out, counts!.in], [5, 2, 1, 1, 1]);
  assert.deepEqual([figures.edges['orders.out>large.in'], figures.edges['large.out>counts.in']], [2, 1]);
  await host.log.close();
});

test('a plan that cannot take up the state is refused', { timeout: 240_000 }, async () => {
  const host = memoryHost();
  await host.log.admin.create('orders', { partitions: 1 });
  const savepoint = new AbortController();
  const { running, begun } = watched(host, countOrders(), { mode: 'streaming', savepoint: savepoint.signal });
  await begun();
  savepoint.abort();
  await running;
  const task = taskOf(countOrders(), { mode: 'streaming' });
  const other = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['spans', 'op.window.tumbling', { size: '1m' }],
      ['counts', 'op.aggregate', { function: 'count' }],
      ['all', 'collect'],
    ],
    ['orders > spans', 'spans > counts', 'counts > all'],
  );
  const graph = graphOf(other);
  await assert.rejects(runSegment(host, { ...task, graph, segment: segmentsOf(graph)[0]! }), (thrown) => {
    assert.ok(isFlowError(thrown));
    assert.match(thrown.message, /counts/);
    return true;
  });
  await host.log.close();
});

test('what is wrong with a segment names the node', () => {
  const lone = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['spans', 'op.window.tumbling', { size: '1m' }],
      ['all', 'collect'],
    ],
    ['items > spans', 'spans > all'],
  );
  const make = (document: Parameters<typeof graphOf>[0]) => {
    const graph = graphOf(document);
    return segmentsOf(graph)[0]!.program({ name: 'job', graph, input: [], values: {} });
  };
  assert.throws(() => make(lone), {
    code: 'workflow.invalid',
    message: /node spans .*op.aggregate has to stand behind/,
  });
  const stale = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['counts', 'op.aggregate', { function: 'count' }],
      ['all', 'collect'],
    ],
    ['items > counts', 'counts > all'],
  );
  assert.throws(() => make(stale), { code: 'workflow.invalid', message: /segment of node items/ });
});

test('segments are sets of nodes connected by records or by a topic', () => {
  const graph = graphOf(
    documentOf(
      [
        ['a', 'map.items', { items: 'input' }],
        ['b', 'sink.topic', { topic: 't' }],
        ['c', 'map.items', { items: 'input' }],
        ['d', 'collect'],
        ['e', 'source.topic', { topic: 't' }],
        ['f', 'collect'],
      ],
      ['a > b', 'c > d', 'e > f'],
    ),
  );
  const ids = segmentsOf(graph).map(({ nodes }) => nodes.map((number) => graph.nodes[number]!.id));
  assert.deepEqual(ids, [
    ['a', 'b', 'e', 'f'],
    ['c', 'd'],
  ]);
});

test('no two segments share a name', () => {
  assert.equal(segmentName('order-7', 'a'), 'wf.order-7.a');
  const long = 'x'.repeat(512);
  const all: readonly Parameters<typeof segmentName>[] = [
    ['order-7', 'a'],
    ['order-7', 'a', '0'],
    ['order-7/pay', 'a'],
    ['order-7-pay', 'a'],
    ['order-7', 'a.b'],
    ['order-7', 'a-b'],
    ['e-2', 'n', '3'],
    ['e', 'n', '2.3'],
    ['e.2', 'n', '3'],
    ['e', '2', '3'],
    ['e', '2'],
    ['e', '2.3'],
    [long, 'a'],
    [long, 'b'],
    [`${long}y`, 'a'],
    ['e', 'n'.repeat(128)],
    ['e', 'n'.repeat(127)],
  ];
  const names = all.map((parts) => segmentName(...parts));
  assert.equal(new Set(names).size, all.length);
  for (const name of names) {
    assert.match(name, /^[A-Za-z0-9._-]{1,100}$/);
    // what a run leaves is found by its name with a dot behind
    assert.deepEqual(
      names.filter((other) => other.startsWith(`${name}.`)),
      [],
    );
  }
});
