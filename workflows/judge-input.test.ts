import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputFaults } from './judge-input.ts';

const inputs = {
  total: { kind: 'value', schema: { type: 'number', minimum: 0 } },
  note: { kind: 'value', optional: true, schema: { type: 'string' } },
  lines: { kind: 'value', schema: { type: 'array', items: { type: 'object', required: ['id'] } } },
} as const;
const faults = (input: Parameters<typeof inputFaults>[1]) =>
  inputFaults({ inputs }, input).map(({ pointer, message }) => `${pointer} ${message}`);

test('all that does not fit is told, with its place', () => {
  assert.deepEqual(faults({ total: 3, lines: [] }), []);
  assert.deepEqual(faults({ total: -1, note: 2, lines: [{ id: 1 }, {}] }), [
    '/total "total" must be >= 0',
    '/note "note" must be string',
    `/lines/1 "lines" must have required property 'id'`,
  ]);
  assert.deepEqual(faults({}), ['/total the input "total" is missing', '/lines the input "lines" is missing']);
  assert.deepEqual(faults([1]), [' the input is an object, not a list']);
  assert.deepEqual(faults({ total: 1, lines: [], more: true }), []);
});

test('a document that names no inputs takes anything', () => {
  assert.deepEqual(inputFaults({}, 'x'), []);
});
