import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../core/ids.ts';
import { createLanguage } from './create-language.ts';
import { describeGraph } from './describe.ts';
import type { NodeData, WorkflowDocument } from './document.ts';

const language = createLanguage();
const session = {
  ...{ id: '= input.user', ttl: '30m' },
  keys: { cart: { schema: { type: 'array', items: { type: 'string' } }, default: [] }, visits: {} },
};

function document(data: NodeData, more: Partial<WorkflowDocument> = { session }): Json {
  const nodes = [{ id: 'a', type: 'expression', data: { config: { value: 1 }, ...data } }];
  return { apiVersion: 'nodeflow/v1', id: 'w', name: 'w', version: '1.0.0', ...more, nodes, edges: [] } as never;
}

function faults(data: NodeData, more?: Partial<WorkflowDocument>): readonly string[] {
  return language.validate(document(data, more)).map(({ code, pointer }) => `${code} ${pointer}`);
}

const value = (text: string) => ({ config: { value: text } });
const VALUE = '/nodes/0/data/config/value';
const SESSION = '/nodes/0/data/session';

test('a node reads and writes the keys that it declares', () => {
  const good = { ...value('= session.cart.size()'), session: { read: ['cart'], write: { visits: '= outputs.out' } } };
  assert.deepEqual(faults(good), []);
  const graph = language.compile(document(good));
  assert.equal(describeGraph(graph)[2], 'holds the session w of = input.user, for 30m: cart, visits');
});

test('what is used undeclared is told with its place, and what to do', () => {
  assert.deepEqual(faults(value('= session.cart')), [`workflow.expression ${VALUE}`]);
  const [fault] = language.validate(document(value('= session.cart')));
  assert.match(fault!.cure, /^Declare it at the node: "session": \{ "read": \["<key>"\] \}/);
  assert.deepEqual(faults({ ...value('= session.visits'), session: { read: ['cart'] } }), [
    `workflow.expression ${VALUE}`,
  ]);
  assert.deepEqual(faults({ session: { read: ['cart', 'basket'], write: { total: 1 } } }), [
    `workflow.session ${SESSION}/read/1`,
    `workflow.session ${SESSION}/write/total`,
  ]);
  assert.deepEqual(faults({ session: { read: ['cart'] } }, {}), [`workflow.session ${SESSION}`]);
  assert.deepEqual(faults({}, { session, outputs: { cart: '= session.cart' } }), ['workflow.expression /outputs/cart']);
});

test('expressions of what is written, and of the id, are judged by their types', () => {
  const written = (text: string) => faults({ session: { write: { visits: text } } });
  assert.deepEqual(written('= outputs.oot'), [`workflow.expression ${SESSION}/write/visits`]);
  assert.deepEqual(written('= session.cart'), [`workflow.expression ${SESSION}/write/visits`]);
  assert.deepEqual(faults({ session: { write: { cart: '= "one"' } } }), [`workflow.expression ${SESSION}/write/cart`]);
  const inputs = { user: { kind: 'value', schema: { type: 'string' } } } as const;
  const id = (text: string) => faults({}, { inputs, session: { ...session, id: text } });
  assert.deepEqual([id('= input.user'), id('everybody')], [[], []]);
  assert.deepEqual(id('= input.usr'), ['workflow.expression /session/id']);
});

test('a declaration that cannot be is told', () => {
  assert.deepEqual(faults({}, { session: { ...session, ttl: '0s' } }), ['workflow.session /session/ttl']);
  assert.deepEqual(
    faults({}, { session: { ...session, keys: { cart: { schema: { type: 'number' }, default: 'x' } } } }),
    ['workflow.session /session/keys/cart/default'],
  );
  assert.deepEqual(faults({}, { session: { ...session, keys: { cart: { schema: { type: 'nothing' } } } } }), [
    'workflow.schema /session/keys/cart/schema',
  ]);
  assert.ok(faults({}, { session: { ...session, keys: { 'a-b': {} } } }).includes('workflow.schema /session/keys/a-b'));
  const secret = { session: { write: { visits: { password: 'hunter2' } } } };
  assert.deepEqual(faults(secret), [`workflow.secret ${SESSION}/write/visits/password`]);
});

test('nodes of the data plane know no session', () => {
  const source = {
    id: 's',
    type: 'source.generator',
    data: { config: { count: 1, value: 1 }, session: { read: ['cart'] } },
  };
  const sink = { id: 't', type: 'collect' };
  const whole = { ...(document({}) as object), nodes: [source, sink], edges: [{ source: 's', target: 't' }] };
  const found = language.validate(whole).filter(({ code }) => code === 'workflow.session');
  assert.deepEqual(
    found.map(({ pointer }) => pointer),
    [SESSION],
  );
});
