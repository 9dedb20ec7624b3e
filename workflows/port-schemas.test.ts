import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../core/ids.ts';
import { createLanguage } from './create-language.ts';
import { portSchemas } from './port-schemas.ts';

function schemasOf(version: string, schema: Json, more: Json = {}) {
  const graph = createLanguage().compile({
    ...{ apiVersion: 'nodeflow/v1', id: 'w', name: 'w', version },
    nodes: [
      { id: 'a', type: 'expression', data: { config: { value: 1 }, outputs: { out: { kind: 'value', schema } } } },
      { id: 'b', type: 'expression', data: { config: { value: 1 } } },
      { id: 'each', type: 'map', data: { config: { items: '= [1]' } } },
      { id: 'inner', type: 'expression', parentId: 'each', data: { config: { value: 1 }, ...(more as object) } },
      { id: 'items', type: 'map.items', data: { config: { items: '[1, 2]' } } },
      {
        ...{ id: 'all', type: 'collect' },
        data: { outputs: { out: { kind: 'value', schema: { type: 'array', maxItems: 9 } } } },
      },
    ],
    edges: [{ source: 'items', target: 'all' }],
  } as never);
  const { idOf, byId } = portSchemas(graph);
  return { byId, idOf: (node: string, port = 'out') => idOf(graph.number(node)!, port) };
}

test('S2.1.b2: ports that declare equal schemas share an id, from version to version', () => {
  const one = schemasOf('1.0.0', { type: 'object', required: ['n'] });
  const two = schemasOf('2.0.0', { required: ['n'], type: 'object' }, { outputs: { out: { kind: 'value' } } });
  const other = schemasOf('1.0.0', { type: 'object', required: ['m'] });
  assert.match(one.idOf('a')!, /^[0-9a-f]{32}$/);
  assert.equal(one.idOf('a'), two.idOf('a'));
  assert.notEqual(one.idOf('a'), other.idOf('a'));
  assert.deepEqual(one.byId[one.idOf('a')!], { type: 'object', required: ['n'] });
  const named = schemasOf('1.0.0', 'avro:orders');
  assert.equal(named.byId[named.idOf('a')!], 'avro:orders');
});

test('S2.1.b2: a type declares what its nodes do not; what stands for a segment, by the port of its inner node', () => {
  const { idOf, byId } = schemasOf('1.0.0', {});
  assert.deepEqual(byId[idOf('each')!], { type: 'array' });
  assert.deepEqual(byId[idOf('all')!], { type: 'array', maxItems: 9 });
  assert.equal(idOf('items', 'all.out'), idOf('all'));
  for (const [node, port] of [
    ['b', 'out'],
    ['inner', 'out'],
    ['a', 'none'],
    ['a', 'constructor'],
    ['items', 'no.out'],
    ['items', 'all.none'],
  ] as const) {
    assert.equal(idOf(node, port), null, `${node} ${port}`);
  }
  assert.equal(idOf('a') === null, false, 'an empty schema is declared too');
});
