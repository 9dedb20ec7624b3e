import { test } from 'node:test';
import { checkStream, NUMBERS, type Numbered, TEXTS } from './testing/one-stream.fixture.ts';

const same = ({ key, value }: Numbered) => [{ topic: 'numbers', key, value } as const];

test('what its predicate takes goes on unchanged, null values too', () => {
  checkStream(
    (stream) => stream.filter((value) => value > 3).to(NUMBERS),
    (record) => (record.value > 3 ? same(record) : []),
  );
  checkStream(
    (stream) => stream.filter((value) => value === null).to(NUMBERS),
    (record) => (record.value === null ? same(record) : []),
  );
});

test('a predicate may ask for the key', () => {
  checkStream(
    (stream) => stream.filter((value, key) => key === 'a' && value !== 0).to(NUMBERS),
    (record) => (record.key === 'a' && record.value !== 0 ? same(record) : []),
  );
});

test('filterNot lets pass what its predicate does not take', () => {
  checkStream(
    (stream) => stream.filterNot((value) => value > 3).to(NUMBERS),
    (record) => (record.value > 3 ? [] : same(record)),
  );
  checkStream(
    (stream) => stream.filterNot((_value, key) => key === null).to(NUMBERS),
    (record) => (record.key === null ? [] : same(record)),
  );
});

test('of two in a row only what both take goes on', () => {
  checkStream(
    (stream) =>
      stream
        .filter((value) => value !== null)
        .filterNot((value) => value < 0)
        .mapValues(String)
        .to(TEXTS),
    ({ key, value }) => (value !== null && value >= 0 ? [{ topic: 'texts', key, value: String(value) }] : []),
  );
});
