import assert from 'node:assert/strict';
import { test } from 'node:test';
import { string } from '../schemas/schemas.ts';
import { topic, topology } from '../topology/topology.ts';
import { checkStream, NUMBERS, TEXTS } from './testing/one-stream.fixture.ts';

test('any number of values for one, under its key, in order', () => {
  checkStream(
    (stream) => stream.flatMapValues((value) => [value, -value].slice(0, Math.abs(value % 3))).to(NUMBERS),
    ({ key, value }) =>
      [value, -value].slice(0, Math.abs(value % 3)).map((each) => ({ topic: 'numbers', key, value: each })),
  );
});

test('a function that asks for the key is given it, and any iterable will do', () => {
  checkStream(
    (stream) => stream.flatMapValues((value, key) => new Set([`${key}`, `${value}`, `${key}`])).to(TEXTS),
    ({ key, value }) => [...new Set([`${key}`, `${value}`])].map((each) => ({ topic: 'texts', key, value: each })),
  );
});

test('the key stays, so that no repartition is needed behind it', () => {
  const app = topology('words');
  const lines = topic('lines', { key: string(), value: string(), partitions: 3 });
  const words = app.stream(lines).flatMapValues((line) => line.split(' '));
  const partitions: 3 = words.partitions;
  words.groupByKey().reduce({ store: 'longest', value: string(), add: (a, b) => (b.length > a.length ? b : a) });
  words
    .mapValues((word) => word.length)
    .groupByKey()
    .sum({ store: 'letters', of: (length) => length });
  const { plan } = app.build();
  assert.equal(partitions, 3);
  assert.equal(plan.stages.length, 1);
  assert.deepEqual(
    plan.nodes.find(({ kind }) => kind === 'flatMapValues'),
    {
      kind: 'flatMapValues',
      id: 'flatMapValues:lines:1',
      inputs: ['source:lines'],
      key: 'string',
      value: null,
      fn: 'flatMapValues:lines:1/fn',
    },
  );
});
