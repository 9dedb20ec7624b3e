import { test } from 'node:test';
import { checkStream, NUMBERS, TEXTS } from './testing/one-stream.fixture.ts';

test('every record is written as it is, changed or not, without a key and without a value too', () => {
  checkStream(
    (stream) => {
      stream.to(NUMBERS);
      stream.mapValues((value) => (value === null ? (null as unknown as string) : `${value}`)).to(TEXTS);
    },
    ({ key, value }) => [
      { topic: 'numbers', key, value },
      { topic: 'texts', key, value: value === null ? null : `${value}` },
    ],
  );
});

test('several branches may write one topic, each record of one before the next', () => {
  checkStream(
    (stream) => {
      stream.to(NUMBERS);
      stream.mapValues((value) => value * 2).to(NUMBERS);
    },
    ({ key, value }) => [
      { topic: 'numbers', key, value },
      { topic: 'numbers', key, value: value * 2 },
    ],
  );
});
