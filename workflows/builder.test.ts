import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from './builder.ts';
import { all, approval, call, choose, delay, expression, first, port, signal, step, task } from './builder-steps.ts';
import { documentHash } from './canonical.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { WorkflowDocument } from './document.ts';
import { EXPRESSIONS } from './expressions.ts';
import { builtInTypes } from './nodes/built-in.ts';
import { validateDocument } from './validate.ts';

const settings = { catalog: createCatalog(builtInTypes()), expressions: EXPRESSIONS };

interface Order {
  readonly customer: string;
  readonly total: number;
}

function orders() {
  const flow = workflow('orders', {
    name: 'Orders',
    version: '1.0.0',
    inputs: { order: port<Order>() },
    policy: { retry: { maxAttempts: 3 } },
  });
  const refund = flow.compensation('refund', task('refund'));
  const total = flow.node('total', expression<number>('= input.order.total'));
  const size = flow.node('size', choose({ big: 'value > 100' }), { in: total.out });
  const ask = flow.node('ask', approval<number>({ title: 'A big order' }), {
    in: size.big.when('input.order.total < 9000'),
  });
  const pay = flow.node(
    'pay',
    task<{ id: string }, number>('charge'),
    { in: first(ask.approved, size.else) },
    { undo: refund },
  );
  flow.node('sorry', call('apologise'), { in: pay.error });
  const sent = flow.node('sent', task('mail'), {}, { after: [pay.out] });
  flow.output('payment', pay.out).output('customer', { json: '= input.order.customer' });
  return { flow, sent };
}

const DOCUMENT: WorkflowDocument = {
  version: '1.0.0',
  apiVersion: 'nodeflow/v1',
  name: 'Orders',
  id: 'orders',
  inputs: { order: { kind: 'value' } },
  policy: { retry: { maxAttempts: 3 } },
  outputs: { payment: '= nodes["pay"]["out"]', customer: '= input.order.customer' },
  nodes: [
    { id: 'refund', type: 'task', data: { config: { name: 'refund' } } },
    { id: 'total', type: 'expression', position: { x: 0, y: 0 }, data: { config: { value: '= input.order.total' } } },
    { id: 'size', type: 'switch', data: { config: { cases: [{ port: 'big', when: 'value > 100' }] } } },
    { id: 'ask', type: 'wait.human', data: { config: { title: 'A big order' } } },
    { id: 'pay', type: 'task', data: { compensation: 'refund', config: { name: 'charge' }, policy: { join: 'any' } } },
    { id: 'sorry', type: 'function', data: { config: { name: 'apologise' } } },
    { id: 'sent', type: 'task', data: { config: { name: 'mail' } } },
  ],
  edges: [
    { source: 'total', target: 'size', sourceHandle: 'out', targetHandle: null },
    { source: 'size', sourceHandle: 'big', target: 'ask', data: { when: 'input.order.total < 9000' } },
    { source: 'ask', sourceHandle: 'approved', target: 'pay' },
    { source: 'size', sourceHandle: 'else', target: 'pay', targetHandle: 'in' },
    { source: 'pay', sourceHandle: 'error', target: 'sorry' },
    { id: 'pay.out>sent', source: 'pay', target: 'sent', data: { kind: 'control' } },
  ],
};

test('builder and document give the same definition', () => {
  const built = orders().flow.document();
  assert.deepEqual(validateDocument(built, settings), []);
  assert.deepEqual(validateDocument(DOCUMENT, settings), []);
  assert.equal(documentHash(built), documentHash(DOCUMENT));
  const printed = JSON.parse(JSON.stringify(built)) as WorkflowDocument;
  assert.deepEqual(printed, built);
  const [a, b] = [built, printed].map((document) => compileDocument(document, settings));
  assert.equal(JSON.stringify(a), JSON.stringify(b));
});

test('a node has the position that it is given, in a container too', () => {
  const flow = workflow('placed', { version: '1.0.0' });
  const first = flow.node('first', expression<number>('= 1'), {}, { position: { x: 1, y: 2 } });
  flow.forEach(
    'each',
    { items: '[1, 2]', in: first.out },
    (item) => item.node('one', expression<number>('= item'), {}, { position: { x: 3, y: 4 } }).out,
  );
  const document = flow.document();
  assert.deepEqual(validateDocument(document, settings), []);
  assert.deepEqual(
    document.nodes.map(({ position }) => position),
    [{ x: 1, y: 2 }, undefined, { x: 3, y: 4 }],
  );
});

test('containers', () => {
  const flow = workflow('lines', { version: '1.0.0' });
  const lines = flow.forEach('lines', { items: 'input.lines', concurrency: 4 }, (item) => {
    const price = item.node('price', expression<number>('= item.price'));
    return item.repeat(
      'raise',
      { while: 'last < 10', max: 3, in: price.out },
      (again) => again.node('more', expression<number>('= last + 1')).out,
    ).out;
  });
  const safe = flow.attempt(
    'safe',
    {
      body: (inside) => inside.node('risky', call<number>('risky')).out,
      catch: (inside) => inside.node('sorry', expression<string>('= error.code')).out,
      finally: (inside) => inside.node('close', call('close')).out,
    },
    { in: lines.out },
  );
  flow.node('end', step('merge'), { in: all(lines.out, safe.out) });
  const document = flow.document();
  assert.deepEqual(validateDocument(document, settings), []);
  assert.deepEqual(
    document.nodes.map(({ id, parentId, data }) => [id, parentId, data?.config]),
    [
      ['lines', undefined, { items: 'input.lines', concurrency: 4 }],
      ['price', 'lines', { value: '= item.price' }],
      ['raise', 'lines', { while: 'last < 10', max: 3 }],
      ['more', 'raise', { value: '= last + 1' }],
      ['safe', undefined, { catch: ['sorry'], finally: ['close'] }],
      ['risky', 'safe', { name: 'risky' }],
      ['sorry', 'safe', { value: '= error.code' }],
      ['close', 'safe', { name: 'close' }],
      ['end', undefined, undefined],
    ],
  );
});

test('what cannot be is told where it is written', () => {
  const flow = workflow('wrong', { version: '1.0.0' });
  const a = flow.node('a', signal<number>('go'));
  assert.throws(() => flow.node('a', delay({ for: '1s' })), /there is a node a already/);
  assert.throws(() => first(a.out), /two outputs or more/);
  assert.throws(
    () =>
      flow.forEach('m', { items: 'input' }, (item) => {
        const x = item.node('x', call('f'));
        item.node('y', call('f'));
        return x.out;
      }),
    /the body of m must end in one node/,
  );
  assert.throws(() => flow.node('b', step('merge'), { in: first(a.out, flow.input) }), /the input arrives by itself/);
});
