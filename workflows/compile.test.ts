import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalText, documentHash } from './canonical.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { WorkflowDocument } from './document.ts';
import { durationOf } from './duration.ts';
import { EXPRESSIONS } from './expressions.ts';
import { builtInTypes } from './nodes/built-in.ts';

const settings = { catalog: createCatalog(builtInTypes()), expressions: EXPRESSIONS };

const ORDERS: WorkflowDocument = {
  apiVersion: 'nodeflow/v1',
  id: 'orders',
  name: 'Orders',
  version: '1.0.0',
  policy: { retry: { maxAttempts: 3 }, timeout: { total: '1h' } },
  nodes: [
    { id: 'total', type: 'expression', position: { x: 1, y: 2 }, data: { config: { value: '= input.a + input.b' } } },
    { id: 'big', type: 'switch', data: { config: { cases: [{ port: 'yes', when: '= value > 100' }] } } },
    { id: 'pay', type: 'task', data: { config: { name: 'pay' }, compensation: 'refund', policy: { onError: 'hold' } } },
    { id: 'refund', type: 'task', data: { config: { name: 'refund' } } },
    { id: 'guard', type: 'try', data: { config: { catch: ['sorry'] } } },
    { id: 'work', type: 'expression', parentId: 'guard', data: { config: { value: '==as it is' } } },
    { id: 'sorry', type: 'expression', parentId: 'guard', data: { config: { value: '= error.code' } } },
    {
      id: 'end',
      type: 'merge',
      data: { policy: { join: { when: 'pay.succeeded || big.succeeded' }, required: false } },
    },
  ],
  edges: [
    { source: 'total', target: 'big' },
    {
      id: 'e2',
      source: 'big',
      sourceHandle: 'yes',
      target: 'pay',
      data: { when: 'value > 3', map: { sum: '= value' } },
    },
    { source: 'pay', target: 'end' },
    { source: 'pay', sourceHandle: 'error', target: 'end' },
    { source: 'big', target: 'end', data: { kind: 'control' } },
  ],
  outputs: { sum: '= nodes.total.out' },
};

test('nodes, edges and levels by number', () => {
  const graph = compileDocument(ORDERS, settings);
  const ids = (numbers: readonly number[]) => numbers.map((number) => graph.nodes[number]!.id);
  const [guard, end] = [graph.nodes[graph.number('guard')!]!, graph.nodes[graph.number('end')!]!];
  assert.deepEqual(ids(guard.children), ['work', 'sorry']);
  assert.deepEqual(
    guard.children.map((number) => graph.nodes[number]!.role),
    ['body', 'catch'],
  );
  assert.deepEqual(
    end.incoming
      .map((number) => graph.edges[number]!)
      .map(({ id, kind, sourcePort, targetPort }) => [id, kind, sourcePort, targetPort]),
    [
      ['pay.out>end.in', 'data', 'out', 'in'],
      ['pay.error>end.in', 'error', 'error', 'in'],
      ['big>end', 'control', '', ''],
    ],
  );
  assert.equal(graph.nodes[graph.number('pay')!]!.compensation, graph.number('refund'));
  assert.equal(graph.number('other'), undefined);
});

test('policies: of the engine, under those of the type, the document and the node', () => {
  const graph = compileDocument(ORDERS, settings);
  const [total, pay, end] = ['total', 'pay', 'end'].map((id) => graph.nodes[graph.number(id)!]!);
  assert.equal(total!.retry.maxAttempts, 3);
  assert.deepEqual(pay!.retry, {
    maxAttempts: 3,
    backoff: 'exponential',
    initialMs: 200,
    maxMs: 30_000,
    factor: 2,
    jitter: 'full',
    on: ['TRANSIENT', 'SYSTEM'],
  });
  assert.deepEqual(pay!.timeouts, { queueMs: null, runMs: null, totalMs: 3_600_000 });
  assert.deepEqual([pay!.onError, pay!.required, end!.required, pay!.priority], ['hold', true, false, 5]);
  assert.equal(end!.join.policy, 'when');
  const policy = { ...ORDERS.policy, placement: { pool: 'slow' } };
  const nodes = ORDERS.nodes.map((node) =>
    node.id === 'pay' ? { ...node, data: { ...node.data, policy: { placement: { pool: 'paid' } } } } : node,
  );
  const placed = compileDocument({ ...ORDERS, policy, nodes }, settings);
  assert.deepEqual(
    [total!.pool, ...placed.nodes.slice(0, 3).map(({ pool }) => pool)],
    ['default', 'slow', 'slow', 'paid'],
  );
});

test('templates: constants, expressions behind =, fields that are expressions', () => {
  const graph = compileDocument(ORDERS, settings);
  const template = (id: string) => graph.nodes[graph.number(id)!]!.template;
  assert.deepEqual(template('total').fill({ input: { a: 1, b: 2 } }), { value: 3 });
  assert.deepEqual(template('big').fill({ value: 101 }), { cases: [{ port: 'yes', when: true }] });
  assert.deepEqual([template('work').constant, template('work').fill({})], [true, { value: '=as it is' }]);
  const edge = graph.edges[1]!;
  assert.deepEqual([edge.when!.evaluate({ value: 4 }), edge.map!.fill({ value: 4 })], [true, { sum: 4 }]);
  assert.deepEqual(graph.outputs![0]!.value.fill({ nodes: { total: { out: 7 } } }), 7);
});

test('the hash says what runs, not how it is drawn or in what order keys are written', () => {
  const [first, ...rest] = ORDERS.nodes;
  const moved = {
    ...ORDERS,
    ui: { zoom: 2 },
    nodes: [{ ...first!, position: { x: 9, y: 9 }, selected: true }, ...rest],
  };
  assert.equal(documentHash(moved), documentHash(ORDERS));
  const reversed = Object.fromEntries(Object.entries(ORDERS).reverse()) as unknown as WorkflowDocument;
  assert.equal(canonicalText(reversed), canonicalText(ORDERS));
  assert.notEqual(documentHash({ ...ORDERS, version: '1.0.1' }), documentHash(ORDERS));
  assert.equal(documentHash(JSON.parse(canonicalText(ORDERS)) as WorkflowDocument), documentHash(ORDERS));
});

test('behind a graph numbers stay, and what is removed keeps its place', () => {
  const graph = compileDocument(ORDERS, settings);
  const nodes = ORDERS.nodes.filter(({ id }) => id !== 'big');
  const edges = ORDERS.edges.filter(({ source, target }) => source !== 'big' && target !== 'big');
  const more = { id: 'log', type: 'expression', data: { config: { value: 1 } } };
  const end = { id: 'end', type: 'merge' };
  const kept = nodes.map((node) => (node.id === 'end' ? end : node));
  const next = compileDocument({ ...ORDERS, nodes: [more, ...kept], edges }, settings, graph);
  assert.equal(next.revision, 1);
  for (const { id } of ORDERS.nodes) assert.equal(next.number(id), graph.number(id), id);
  assert.equal(next.number('log'), ORDERS.nodes.length);
  assert.deepEqual(
    next.nodes.filter((node) => node.removed).map(({ id }) => id),
    ['big'],
  );
  assert.deepEqual(
    next.edges.map(({ removed }) => removed),
    [true, true, false, false, true],
  );
  assert.ok(next.nodes.every((node, number) => node.number === number));
  assert.deepEqual(next.nodes[next.number('log')!]!.incoming, []);
});

test('spans of time', () => {
  const spans = { '200ms': 200, '30s': 30_000, '5m': 300_000, '12h': 43_200_000, '7d': 604_800_000 };
  for (const [text, ms] of Object.entries(spans)) assert.equal(durationOf(text), ms, text);
  assert.equal(durationOf('PT1H30M'), 5_400_000);
  assert.equal(durationOf('P1W2DT3.5S'), (9 * 86_400 + 3.5) * 1000);
  for (const text of ['', '5', '-1s', 'P', 'PT', 'P1Y', 'P1M', '999999999999999d', '1.5s', ' 1s']) {
    assert.equal(durationOf(text), undefined, text);
  }
});
