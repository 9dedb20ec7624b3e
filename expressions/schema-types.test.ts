import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../core/ids.ts';
import { printType, typeOfAvroSchema, typeOfJsonSchema } from './expressions.ts';

const AVRO: readonly (readonly [schema: Json, type: string])[] = [
  ['long', 'number'],
  [{ type: 'long', logicalType: 'timestamp-millis' }, 'number'],
  [['null', 'string'], 'string or null'],
  [['string', 'long'], 'dyn'],
  [['null', 'string', 'long'], 'dyn'],
  [['null'], 'null'],
  ['bytes', 'dyn'],
  [{ type: 'array', items: { type: 'map', values: 'boolean' } }, 'list(map(bool))'],
  [{ type: 'enum', name: 'Color', symbols: ['RED'] }, 'string'],
  [{ type: 'fixed', name: 'Hash', size: 16 }, 'dyn'],
  ['Unknown', 'dyn'],
  [
    {
      type: 'record',
      name: 'shop.Order',
      fields: [
        { name: 'id', type: 'int' },
        { name: 'to', type: { type: 'record', name: 'Address', fields: [{ name: 'city', type: 'string' }] } },
        { name: 'from', type: ['null', 'Address'] },
        { name: 'back', type: 'shop.Address' },
        { name: 'parent', type: ['null', 'Order'] },
        { name: 'constructor', type: 'string' },
      ],
    },
    '{ id: number, to: { city: string }, from: { city: string } or null, back: { city: string }, parent: dyn }',
  ],
];

const JSON_SCHEMAS: readonly (readonly [schema: Json, type: string])[] = [
  [{ type: 'integer' }, 'number'],
  [{ type: ['string', 'null'] }, 'string or null'],
  [{ type: 'boolean', nullable: true }, 'bool or null'],
  [{ enum: ['a', 'b'] }, 'string'],
  [{ enum: ['a', 1] }, 'dyn'],
  [{ const: 5 }, 'number'],
  [true, 'dyn'],
  [{}, 'dyn'],
  [{ type: 'array', items: { type: 'number' } }, 'list(number)'],
  [{ type: 'array' }, 'list(dyn)'],
  [{ type: 'object' }, 'map(dyn)'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, 'map(string)'],
  [{ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true }, 'map(dyn)'],
  [
    { properties: { a: { type: 'string' }, b: { type: 'object', properties: {} } }, required: ['a'] },
    '{ a: string, b?: {} }',
  ],
  [{ anyOf: [{ type: 'number' }, { type: 'null' }] }, 'number or null'],
  [{ oneOf: [{ type: 'number' }, { type: 'string' }] }, 'dyn'],
  [{ allOf: [{ type: 'number' }] }, 'number'],
  [{ $ref: '#/$defs/x~1y', $defs: { 'x/y': { type: 'string' } } }, 'string'],
  [{ $ref: '#/nowhere' }, 'dyn'],
  [{ $ref: 'https://example.com/schema' }, 'dyn'],
  [{ $ref: '#/__proto__/x' }, 'dyn'],
  [{ type: 'object', properties: { constructor: { type: 'string' } }, required: [] }, '{}'],
];

test('types of Avro schemas', () => {
  for (const [schema, type] of AVRO) assert.equal(printType(typeOfAvroSchema(schema)), type, JSON.stringify(schema));
});

test('types of JSON Schemas', () => {
  for (const [schema, type] of JSON_SCHEMAS) {
    assert.equal(printType(typeOfJsonSchema(schema)), type, JSON.stringify(schema));
  }
});

test('schemas within themselves come to an end, and so do those that double at each step', () => {
  const tree = {
    type: 'object',
    properties: { child: { $ref: '#' }, name: { type: 'string' } },
    required: ['child', 'name'],
  };
  assert.equal(printType(typeOfJsonSchema(tree)), '{ child: dyn, name: string }');
  const names = Array.from({ length: 30 }, (_, i) => `d${i}`);
  const ten = Array.from({ length: 10 }, (_, i) => `f${i}`);
  const defs = names.map((name, i) => {
    const next = { $ref: `#/$defs/d${i + 1}` };
    return [name, { type: 'object', properties: Object.fromEntries(ten.map((field) => [field, next])) }] as const;
  });
  const json = { $ref: '#/$defs/d0', $defs: Object.fromEntries(defs) };
  assert.ok(printType(typeOfJsonSchema(json)).length < 50_000);
  const avro = names.reduce<Json>(
    (inner, name) => ({
      type: 'record',
      name,
      fields: ten.map((field, i) => ({ name: field, type: i === 0 ? inner : (inner as { name?: string }).name! })),
    }),
    { type: 'record', name: 'leaf', fields: [{ name: 'x', type: 'int' }] },
  );
  assert.ok(printType(typeOfAvroSchema(avro)).length < 50_000);
});
