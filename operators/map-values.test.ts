import { test } from 'node:test';
import { checkStream, NUMBERS, TEXTS } from './testing/one-stream.fixture.ts';

test('the value is new, key and time stay', () => {
  checkStream(
    (stream) => stream.mapValues((value) => `<${value}>`).to(TEXTS),
    ({ key, value }) => [{ topic: 'texts', key, value: `<${value}>` }],
  );
});

test('a function that asks for the key is given it', () => {
  checkStream(
    (stream) => stream.mapValues((value, key) => `${key}=${value}`).to(TEXTS),
    ({ key, value }) => [{ topic: 'texts', key, value: `${key}=${value}` }],
  );
});

test('a value may become null, and what answers nothing answers null', () => {
  checkStream(
    (stream) => stream.mapValues((value) => (value > 0 ? (undefined as unknown as number) : value)).to(NUMBERS),
    ({ key, value }) => [{ topic: 'numbers', key, value: value > 0 ? null : value }],
  );
});
