import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchema } from './parse.ts';
import { unreadable } from './resolution.ts';

const record = (...fields: readonly object[]) => ({ type: 'record', name: 'Order', fields });

function faults(writer: unknown, reader: unknown): readonly string[] {
  return unreadable(parseSchema(writer), parseSchema(reader)).map(({ kind, message }) => `${kind} ${message}`);
}

test('what keeps a schema from being read names the field and the reason', () => {
  const rows: readonly (readonly [writer: unknown, reader: unknown, faults: readonly string[]])[] = [
    ['int', 'long', []],
    ['long', 'int', ['TYPE_MISMATCH int is int where long was written']],
    [
      record(),
      record({ name: 'note', type: 'string' }),
      ['READER_FIELD_MISSING_DEFAULT_VALUE Order.note was not written, and has no default'],
    ],
    [record(), record({ name: 'note', type: 'string', default: '' }), []],
    [record({ name: 'note', type: 'string' }), record(), []],
    [
      record({ name: 'lines', type: { type: 'array', items: record({ name: 'x', type: 'string' }) } }).fields[0]!,
      'int',
      ['TYPE_MISMATCH int is int where array was written'],
    ],
    [
      record({ name: 'prices', type: { type: 'map', values: 'string' } }),
      record({ name: 'prices', type: { type: 'map', values: 'int' } }),
      ['TYPE_MISMATCH Order.prices{} is int where string was written'],
    ],
    [
      { type: 'fixed', name: 'Id', size: 8 },
      { type: 'fixed', name: 'Id', size: 16 },
      ['FIXED_SIZE_MISMATCH Id takes 16 bytes where 8 were written'],
    ],
    [
      { type: 'enum', name: 'E', symbols: ['A', 'B', 'C'] },
      { type: 'enum', name: 'E', symbols: ['B'] },
      ['MISSING_ENUM_SYMBOLS E lacks the symbols A, C, and has no default'],
    ],
    [
      { type: 'enum', name: 'a.E', symbols: ['A'] },
      { type: 'enum', name: 'F', symbols: ['A'] },
      ['NAME_MISMATCH F is F where a.E was written, and no alias says so'],
    ],
    [{ type: 'enum', name: 'a.E', symbols: ['A'] }, { type: 'enum', name: 'b.E', symbols: ['A'] }, []],
    [{ type: 'enum', name: 'a.E', symbols: ['A'] }, { type: 'enum', name: 'F', aliases: ['a.E'], symbols: ['A'] }, []],
    [
      'string',
      ['null', 'int'],
      ['MISSING_UNION_BRANCH union is one of null, int, none of which takes the string written'],
    ],
    [['null', 'string'], 'string', ['TYPE_MISMATCH string is string where null was written']],
    [
      ['null', record()],
      ['null', record({ name: 'note', type: 'string' })],
      ['READER_FIELD_MISSING_DEFAULT_VALUE union.note was not written, and has no default'],
    ],
  ];
  for (const [writer, reader, expected] of rows) {
    assert.deepEqual(faults(writer, reader), expected, JSON.stringify([writer, reader]));
  }
});
