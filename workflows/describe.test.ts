import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import { createLanguage } from './create-language.ts';
import { describeGraph } from './describe.ts';
import { diffDocuments, documentDiffLines } from './diff.ts';
import type { WorkflowDocument } from './document.ts';
import { EXPRESSIONS } from './expressions.ts';
import { builtInTypes } from './nodes/built-in.ts';

const ORDERS: WorkflowDocument = {
  apiVersion: 'nodeflow/v1',
  id: 'orders',
  name: 'Orders',
  version: '1.0.0',
  inputs: { order: { kind: 'value' }, note: { kind: 'value', optional: true } },
  outputs: { paid: '= nodes.pay.out' },
  nodes: [
    { id: 'end', type: 'merge', data: { policy: { join: 'any', required: false } } },
    { id: 'total', type: 'expression', data: { config: { value: '= input.order.total' } } },
    { id: 'size', type: 'switch', data: { config: { cases: [{ port: 'big', when: 'value > 100' }] } } },
    { id: 'pay', type: 'task', data: { config: { name: 'charge' }, compensation: 'refund' } },
    { id: 'refund', type: 'task', data: { config: { name: 'refund' } } },
    { id: 'lines', type: 'map', data: { config: { items: 'input.order.lines' } } },
    { id: 'line', type: 'expression', parentId: 'lines', data: { config: { value: '= item' } } },
  ],
  edges: [
    { source: 'total', target: 'size' },
    { source: 'size', sourceHandle: 'big', target: 'pay', data: { when: 'value < 9000' } },
    { source: 'size', sourceHandle: 'else', target: 'end' },
    { source: 'pay', target: 'end' },
    { source: 'pay', target: 'lines', data: { kind: 'control' } },
  ],
};

test('a graph as text', () => {
  const graph = compileDocument(ORDERS, { catalog: createCatalog(builtInTypes()), expressions: EXPRESSIONS });
  assert.deepEqual(describeGraph(graph), [
    'orders 1.0.0: Orders',
    `hash ${graph.hash.slice(0, 16)}, 7 nodes, 5 edges`,
    'takes order, note?',
    '',
    'total   expression',
    'refund  task        5 attempts',
    'size    switch      <- total',
    'pay     task        <- size.big where value < 9000; undone by refund; 5 attempts',
    'end     merge       <- any of size.else, pay; optional',
    'lines   map         <- after pay',
    '  line  expression',
    '',
    'answers',
    '  paid: = nodes.pay.out',
  ]);
});

test('nodes of the data plane are shown by the edges of their records', () => {
  const document: WorkflowDocument = {
    apiVersion: 'nodeflow/v1',
    id: 'counts',
    name: 'Counts',
    version: '1.0.0',
    nodes: [
      { id: 'all', type: 'collect' },
      { id: 'made', type: 'source.generator', data: { config: { count: 9, make: "{'n': index}" } } },
      { id: 'even', type: 'op.filter', data: { config: { where: 'value.n % 2 == 0' } } },
      { id: 'small', type: 'op.filter', data: { config: { where: 'value.n < 5' } } },
      { id: 'list', type: 'expression', data: { config: { value: '= size(value)' } } },
    ],
    edges: [
      { source: 'made', target: 'even' },
      { source: 'made', target: 'small' },
      { source: 'even', target: 'all' },
      { source: 'small', target: 'all' },
      { source: 'all', target: 'list' },
    ],
  };
  const graph = createLanguage().compile(document as never);
  assert.deepEqual(describeGraph(graph), [
    'counts 1.0.0: Counts',
    `hash ${graph.hash.slice(0, 16)}, 5 nodes, 5 edges`,
    '',
    'made   source.generator',
    'even   op.filter         <- made; in the segment of made',
    'small  op.filter         <- made; in the segment of made',
    'all    collect           <- even, small; in the segment of made',
    'list   expression        <- all',
  ]);
});

test('the difference of two documents, in words', () => {
  const { nodes, edges } = ORDERS;
  const changed: WorkflowDocument = {
    ...ORDERS,
    version: '1.1.0',
    inputs: { order: { kind: 'value' }, customer: { kind: 'value' } },
    nodes: [
      ...nodes
        .filter(({ id }) => id !== 'line')
        .map((node) =>
          node.id === 'pay' ? { ...node, type: 'task.http', data: { config: { url: 'https://pay.example' } } } : node,
        ),
      { id: 'item', type: 'expression', parentId: 'lines', data: { config: { value: '= item' } } },
    ],
    edges: edges
      .slice(1)
      .map((edge) => (edge.data?.when === undefined ? edge : { ...edge, data: { when: 'value < 5' } })),
  };
  const diff = diffDocuments(ORDERS, changed);
  assert.deepEqual(documentDiffLines(diff), [
    'the version was 1.0.0, is now 1.1.0',
    'the input note is gone',
    'the input customer is new, and needed (never)',
    'node pay: the type was task, is now task.http (if-not-begun)',
    'node pay: config: name was "charge", is now not given; url was not given, is now "https://pay.example" (if-not-begun)',
    'node pay: compensation was refund, is now not given (if-not-begun)',
    'node line (expression) is gone (if-not-begun)',
    'node item (expression) is new',
    'the edge total.out>size.in is gone (if-not-begun)',
    'the edge size.big>pay.in: when was "value < 9000", is now "value < 5" (if-not-begun)',
    '',
    'executions that run stay on their version; callers have to change',
  ]);
  assert.deepEqual([diff.same, diff.running, diff.callers], [false, 'never', 'breaks']);
});

test('what only an editor sees is no difference', () => {
  const moved = {
    ...ORDERS,
    ui: { zoom: 3 },
    nodes: ORDERS.nodes.map((node) => ({ ...node, position: { x: 1, y: 2 } })),
  };
  const diff = diffDocuments(ORDERS, moved);
  assert.deepEqual([diff.same, diff.changes, documentDiffLines(diff)], [true, [], ['nothing has changed']]);
});
