import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changelogTopic } from '../checkpoints/checkpoints.ts';
import { ByteWriter } from '../core/bytes.ts';
import { systemClock } from '../core/clock.ts';
import { type AvroSchema, avro, localRegistry, registered, type Serde, string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { bindProgram } from './bind-schemas.ts';

const record = (name: string, type: string) =>
  ({ type: 'record', name, fields: [{ name: 'id', type }] }) as unknown as AvroSchema;
const key = registered(avro(record('Code', 'string'))) as Serde<{ id: string }>;
const value = registered(avro(record('Country', 'long'))) as Serde<{ id: number }>;

const countries = topic('countries', { key, value, partitions: 1 });
const out = topic('out', { key: string(), value: string(), partitions: 1 });

function program() {
  const app = topology('shop');
  app
    .stream(topic('events', { key: string(), value: string(), partitions: 1 }))
    .joinGlobal(app.globalTable(countries, { store: 'countries' }), {
      key: (id) => ({ id }),
      merge: (text, { id }) => `${text}${id}`,
    })
    .to(out);
  return app.build();
}

test('a global table has the schemas of its topic, and no changelog', async () => {
  const registry = localRegistry();
  await registry.register('countries-value', registered(avro(record('Country', 'int'))).registered!.schema);
  const { program: bound } = await bindProgram(program(), { registry, clock: systemClock });
  for (const side of ['key', 'value']) {
    assert.equal(await registry.versions(`${changelogTopic('shop', 'countries')}-${side}`), undefined, side);
  }
  assert.equal((await registry.versions('countries-value'))!.length, 1, 'nothing is written into the topic');
  // rows are found by their keys as they lie in the topic
  const out = new ByteWriter();
  bound.code.serde(key.name).encode({ id: 'no' }, out);
  assert.equal((await registry.versions('countries-key'))!.length, 1);
});

test('a global table whose rows cannot be read is refused', async () => {
  const registry = localRegistry();
  await registry.register('countries-value', registered(avro(record('Country', 'string'))).registered!.schema);
  await assert.rejects(bindProgram(program(), { registry, clock: systemClock }), {
    code: 'registry.incompatible',
    message: /value of topic countries/,
  });
});
