import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avro, json, string } from '../schemas/schemas.ts';
import { keyValueStore, topic, topology } from '../topology/topology.ts';
import type { KeyValueStore, ProcessContext } from './operators.ts';
import { testProgram } from './testing/everything.ts';
import { TestTask } from './testing/test-task.ts';

interface Named {
  name: string;
}
const named = avro({ type: 'record', name: 'Named', fields: [{ name: 'name', type: 'string' }] } as const);
const whole = json<Named>();
const fields = json<Named>({ fields: ['name'] });

/** Joins one record with one row; answers what is written. */
function joined(serde: typeof whole, merge: (left: Named, right: Named) => unknown): unknown {
  const app = topology('join');
  const key = string();
  app
    .stream(topic('in', { key, value: serde, partitions: 1 }))
    .joinTable(app.table(topic('rows', { key, value: serde, partitions: 1 }), { store: 'rows' }), {
      merge: merge as (left: Named, right: Named) => Named,
    })
    .processValues({
      // the row is overwritten before what was made of it is encoded
      name: 'overwrite',
      stores: [keyValueStore('rows', { key, value: serde })],
      supplier: () => ({
        process(value: Named, at: string, context: ProcessContext<string, Named>) {
          (context.store('rows') as KeyValueStore<string, Named>).put(at, { name: 'changed' });
          context.forward(at, value);
        },
      }),
      key,
      value: serde,
    })
    .to(topic('out', { key, value: serde, partitions: 1 }));
  const task = new TestTask(testProgram(app.build()));
  task.feed({ topic: 'rows', key: 'a', value: { name: 'old' }, timestamp: 0 });
  task.feed({ topic: 'rows', key: 'b', value: { name: 'row' }, timestamp: 0 });
  task.feed({ topic: 'in', key: 'a', value: { name: 'warm up' }, timestamp: 1 });
  task.feed({ topic: 'in', key: 'b', value: { name: 'left' }, timestamp: 2 });
  const { key: last, value } = task.written.items.at(-1)!;
  assert.equal(last, 'b');
  return value;
}

for (const [name, serde] of Object.entries({ avro: named, json: whole, fields })) {
  test(`${name}: the row is what it was at the join, however the table moves on`, () => {
    assert.deepEqual({ ...(joined(serde as typeof whole, (_, right) => right) as Named) }, { name: 'row' });
  });

  test(`${name}: the stream's own value goes on as it is`, () => {
    assert.deepEqual({ ...(joined(serde as typeof whole, (left) => left) as Named) }, { name: 'left' });
  });
}

test('a value that merge has changed in place counts as changed', () => {
  const merge = (left: Named, right: Named) => {
    left.name += ` of ${right.name}`;
    return left;
  };
  assert.deepEqual(joined(whole, merge), { name: 'left of row' });
});
