import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { endpoints } from './endpoint.ts';

test('addresses are read with and without ports, of names and of both kinds of numbers', () => {
  const found = endpoints(' kafka-1:9093, kafka-2.example.org ,10.0.0.1:19092,[2001:db8::1]:9094,[::1]');
  assert.deepEqual(
    found.map(({ host, port, name }) => [host, port, name]),
    [
      ['kafka-1', 9093, 'kafka-1:9093'],
      ['kafka-2.example.org', 9092, 'kafka-2.example.org:9092'],
      ['10.0.0.1', 19092, '10.0.0.1:19092'],
      ['2001:db8::1', 9094, '[2001:db8::1]:9094'],
      ['::1', 9092, '[::1]:9092'],
    ],
  );
});

test('what is no address is refused by its text', () => {
  for (const text of [
    '',
    ' , ',
    'http://kafka:9092',
    'kafka:',
    'kafka:0',
    'kafka:99999',
    'kafka:9092/x',
    '[::1',
    'a b',
  ]) {
    assert.throws(
      () => endpoints(text),
      (thrown) => isFlowError(thrown, 'config.invalid') && thrown.message.includes(text),
      text,
    );
  }
});
