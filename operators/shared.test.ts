import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avro } from '../schemas/schemas.ts';
import { shared } from './shared.ts';

const schema = { type: 'record', name: 'Sums', fields: [{ name: 'n', type: 'long' }] } as const;

test('one place of a plan has one accessor, in every task and every run; another place has another', () => {
  const serde = avro(schema);
  const make = () => serde.cells!.row();
  const here = shared(serde, 'total row', make);
  assert.equal(shared(serde, 'total row', make), here);
  const there = shared(serde, 'total update', make);
  assert.notEqual(there, here);
  assert.notEqual(shared(avro(schema), 'total row', make), here);
  // a row and the update made of it are looked at together
  const row = here(Float64Array.of(1), 0);
  const update = there(Float64Array.of(2), 0);
  assert.deepStrictEqual([row.n, update.n], [1, 2]);
});
