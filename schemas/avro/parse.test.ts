import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { type AvroSchema, avro } from '../schemas.ts';

test('schemas that are none, or whose names are not allowed, are refused', () => {
  const field = (name: string, type: unknown = 'int') => ({ type: 'record', name: 'R', fields: [{ name, type }] });
  let deep: unknown = 'int';
  for (let i = 0; i < 100; i++) deep = { type: 'array', items: deep };
  const doubling: unknown[] = [{ type: 'record', name: 'R0', fields: [] }];
  for (let i = 1; i < 25; i++)
    doubling.push({
      type: 'record',
      name: `R${i}`,
      fields: [
        { name: 'a', type: `R${i - 1}` },
        { name: 'b', type: `R${i - 1}` },
      ],
    });
  const cases: [unknown, string][] = [
    [field('__proto__'), '__proto__'],
    [field('constructor'), 'constructor'],
    [field('prototype'), 'prototype'],
    [field('a b'), '"a b"'],
    [field('a"];throw 1;//'), 'not a name'],
    [field('1a'), '1a'],
    [field('é'), 'not a name'],
    [{ type: 'record', name: 'x;y', fields: [] }, 'x;y'],
    [{ type: 'record', name: '__proto__', fields: [] }, '__proto__'],
    [{ type: 'record', name: 'R', namespace: 'a..b', fields: [] }, 'not a name'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'twice'],
    [{ type: 'enum', name: 'E', symbols: [] }, 'symbols'],
    [{ type: 'fixed', name: 'F', size: -1 }, 'size'],
    [{ type: 'fixed', name: 'F', size: 2 ** 40 }, 'size'],
    [field('a', 'Nowhere'), 'Nowhere'],
    [field('a', ['int', 'int']), 'twice'],
    [field('a', [['int']]), 'union'],
    [field('a', []), 'union'],
    [
      {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'a', type: 'int' },
        ],
      },
      'two fields',
    ],
    [{ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int', default: 'x' }] }, 'default'],
    [{ type: 'record', name: 'long', fields: [] }, 'long'],
    [deep, 'deeper'],
    [
      field(
        'a',
        doubling.map((each) => each),
      ),
      'more than',
    ],
    [null, 'null'],
    [{ type: 5 }, '5'],
    [{}, 'undefined'],
  ];
  for (const [schema, part] of cases) refuses(schema as AvroSchema, part);
  assert.throws(
    () => avro('int', { id: -1 }),
    (thrown: Error) => isFlowError(thrown, 'schema.invalid'),
  );
});

test('equal schemas have equal names, others other ones', () => {
  const one = avro({ type: 'record', name: 'R', namespace: 'n', fields: [{ name: 'a', type: 'long', doc: 'x' }] });
  const two = avro({ type: 'record', name: 'n.R', doc: 'y', fields: [{ name: 'a', type: { type: 'long' } }] });
  assert.equal(one.name, two.name);
  assert.match(one.name, /^avro:n\.R#[0-9a-f]{8}$/);
  assert.notEqual(one.name, avro({ type: 'record', name: 'n.R', fields: [{ name: 'a', type: 'int' }] }).name);
  assert.notEqual(
    one.name,
    avro({ type: 'record', name: 'n.R', fields: [{ name: 'a', type: 'long' }] }, { id: 1 }).name,
  );
});

function refuses(schema: AvroSchema, part: string): void {
  assert.throws(
    () => avro(schema),
    (thrown: Error) => {
      assert.ok(isFlowError(thrown, 'schema.invalid'), String(thrown));
      assert.ok(thrown.message.includes(part), `${part} in: ${thrown.message}`);
      return thrown.message.length < 400;
    },
  );
}
