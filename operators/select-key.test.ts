import { test } from 'node:test';
import { checkStream, NUMBERS } from './testing/one-stream.fixture.ts';

test('the key is new, value and time stay', () => {
  checkStream(
    (stream) => stream.selectKey((value) => `k${value}`).to(NUMBERS),
    ({ value }) => [{ topic: 'numbers', key: `k${value}`, value }],
  );
});

test('it may be made of the key that was, and be none', () => {
  checkStream(
    (stream) =>
      stream.selectKey((value, key) => (value === null ? (null as unknown as string) : `${key}.`)).to(NUMBERS),
    ({ key, value }) => [{ topic: 'numbers', key: value === null ? null : `${key}.`, value }],
  );
});
