import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../core/ids.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { WorkflowDocument } from './document.ts';
import { EXPRESSIONS } from './expressions.ts';
import type { Graph } from './graph.ts';
import type { PatchOp } from './lifecycle/lifecycle.ts';
import { builtInTypes } from './nodes/built-in.ts';
import { DATA_PLANE_TYPES } from './nodes/data-plane-types.ts';
import { patchGraph } from './patch.ts';

const settings = { catalog: createCatalog([...builtInTypes(), ...DATA_PLANE_TYPES]), expressions: EXPRESSIONS };
const node = (id: string, value: number = 1) => ({ id, type: 'expression', data: { config: { value } } });
const document: WorkflowDocument = {
  apiVersion: 'nodeflow/v1',
  id: 'p',
  name: 'P',
  version: '1.0.0',
  nodes: [node('a'), node('b'), node('c')],
  edges: [
    { source: 'a', target: 'b' },
    { source: 'b', target: 'c' },
  ],
};

function patched(graph: Graph, ...ops: PatchOp[]): Graph {
  const answer = patchGraph(graph, ops, settings);
  assert.ok('nodes' in answer, JSON.stringify(answer));
  return answer;
}

test('nodes and edges come, change and go; numbers stay', () => {
  const first = compileDocument(document, settings);
  const second = patched(
    first,
    { op: 'remove-node', id: 'b' },
    { op: 'add-node', node: node('d') },
    { op: 'replace-node', node: node('c', 7) },
    { op: 'add-edge', edge: { source: 'a', target: 'd' } },
    { op: 'add-edge', edge: { source: 'd', target: 'c' } },
  );
  assert.deepEqual(
    second.nodes.map(({ id, removed }) => [id, removed]),
    [
      ['a', false],
      ['b', true],
      ['c', false],
      ['d', false],
    ],
  );
  assert.deepEqual(
    second.edges.map(({ id, removed }) => [id, removed]),
    [
      ['a.out>b.in', true],
      ['b.out>c.in', true],
      ['a.out>d.in', false],
      ['d.out>c.in', false],
    ],
  );
  assert.deepEqual(second.nodes[2]!.config, { value: 7 });
  assert.equal(second.revision, 1);
  const third = patched(second, { op: 'remove-edge', id: 'a.out>d.in' }, { op: 'add-node', node: node('e') });
  assert.deepEqual([third.revision, third.number('e'), third.edges[2]!.removed], [2, 4, true]);
  const roots = third.nodes.filter(({ incoming, removed }) => !removed && incoming.length === 0);
  assert.deepEqual(
    roots.map(({ number }) => number),
    [0, 3, 4],
  );
  assert.notEqual(third.hash, second.hash);
});

test('the same patches give the same graph', () => {
  const ops: readonly PatchOp[] = [{ op: 'add-node', node: node('x') }];
  const twice = [1, 2].map(() => patched(compileDocument(document, settings), ...ops));
  assert.deepEqual(twice[0]!.document, twice[1]!.document);
  assert.equal(twice[0]!.hash, twice[1]!.hash);
});

test('what cannot be is told, all at once', () => {
  const graph = patched(compileDocument(document, settings), { op: 'remove-node', id: 'c' });
  const told = (...ops: PatchOp[]) => {
    const answer = patchGraph(graph, ops, settings);
    assert.ok(!('nodes' in answer));
    return answer.map(({ code, pointer }) => `${code} ${pointer}`);
  };
  assert.deepEqual(
    told(
      { op: 'add-node', node: node('a') },
      { op: 'add-node', node: node('c') },
      { op: 'replace-node', node: node('z') },
      { op: 'remove-node', id: 'c' },
      { op: 'remove-edge', id: 'none' },
      { op: 'add-node', node: 5 },
    ),
    [
      'workflow.duplicate-id /0/node/id',
      'workflow.duplicate-id /1/node/id',
      'workflow.unknown-node /2',
      'workflow.unknown-node /3',
      'workflow.unknown-node /4',
      'workflow.schema /5/node',
    ],
  );
  assert.deepEqual(told({ op: 'add-edge', edge: { source: 'b', target: 'a' } }), ['workflow.cycle /nodes/0']);
  assert.deepEqual(told({ op: 'add-edge', edge: null }), ['workflow.schema /edges/1']);
});

test('an edge that came again is the one that goes', () => {
  const again: readonly PatchOp[] = [
    { op: 'remove-edge', id: 'a.out>b.in' },
    { op: 'add-edge', edge: { source: 'a', target: 'b' } },
  ];
  const next = patched(patched(compileDocument(document, settings), ...again), { op: 'remove-edge', id: 'a.out>b.in' });
  assert.deepEqual(
    next.edges.map(({ id, removed }) => [id, removed]),
    [
      ['a.out>b.in', true],
      ['b.out>c.in', false],
    ],
  );
});

const numbers = { id: 'numbers', type: 'source.generator', data: { config: { count: 3, make: "{'n': index}" } } };
const filter = (id: string, where: string) => ({ id, type: 'op.filter', data: { config: { where } } });
const SEGMENTS: { readonly [name: string]: Pick<WorkflowDocument, 'nodes' | 'edges'> } = {
  'whose edges part and meet again': {
    nodes: [numbers, filter('low', 'value.n < 2'), filter('high', 'value.n > 1'), { id: 'all', type: 'collect' }],
    edges: [
      { source: 'numbers', target: 'low' },
      { source: 'numbers', target: 'high' },
      { source: 'low', target: 'all' },
      { source: 'high', target: 'all' },
    ],
  },
  'that a topic holds together': {
    nodes: [
      numbers,
      { id: 'out', type: 'sink.topic', data: { config: { topic: 't' } } },
      { id: 'in', type: 'source.topic', data: { config: { topic: 't' } } },
      { id: 'all', type: 'collect' },
    ],
    edges: [
      { source: 'numbers', target: 'out' },
      { source: 'in', target: 'all' },
    ],
  },
};

for (const [what, { nodes, edges }] of Object.entries(SEGMENTS)) {
  test(`a segment ${what} can go, and does not change`, () => {
    const whole = { ...document, nodes: [...nodes, ...document.nodes], edges: [...edges, ...document.edges] };
    const graph = compileDocument(whole, settings);
    const left = patched(graph, ...nodes.map(({ id }): PatchOp => ({ op: 'remove-node', id })));
    assert.deepEqual(left.document.edges, document.edges);
    const told = patchGraph(graph, [{ op: 'add-node', node: node('d') }], settings);
    assert.ok(!('nodes' in told));
    assert.deepEqual(
      told.map(({ code, pointer }) => `${code} ${pointer}`),
      ['workflow.patch-invalid /nodes/0'],
    );
  });
}

test('a segment cannot come by a patch', () => {
  const { nodes, edges } = SEGMENTS['that a topic holds together']!;
  const ops: readonly PatchOp[] = [
    ...nodes.map((each): PatchOp => ({ op: 'add-node', node: each as unknown as Json })),
    ...edges.map((edge): PatchOp => ({ op: 'add-edge', edge: edge as unknown as Json })),
  ];
  const told = patchGraph(compileDocument(document, settings), ops, settings);
  assert.ok(!('nodes' in told));
  assert.deepEqual(told, [
    {
      code: 'workflow.patch-invalid',
      pointer: '/nodes/3',
      message:
        'numbers is a node of the data plane, whose segments run as they were published: publish a new version instead',
      cure: 'Publish the document as a new version, and start that.',
    },
  ]);
});
