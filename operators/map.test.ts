import { test } from 'node:test';
import { checkStream, NUMBERS, TEXTS } from './testing/one-stream.fixture.ts';

test('key and value are new, and the time stays', () => {
  checkStream(
    (stream) => stream.map((value, key) => [`${key}!`, `${value}`]).to(TEXTS),
    ({ key, value }) => [{ topic: 'texts', key: `${key}!`, value: `${value}` }],
  );
});

test('either may become null', () => {
  checkStream(
    (stream) =>
      stream
        .map((value, key) => [value === 1 ? (null as unknown as string) : key, (value > 5 ? null : value) as number])
        .to(NUMBERS),
    ({ key, value }) => [{ topic: 'numbers', key: value === 1 ? null : key, value: value > 5 ? null : value }],
  );
});
