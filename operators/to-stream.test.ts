import { test } from 'node:test';
import { checkStream, NUMBERS } from './testing/one-stream.fixture.ts';

test('each update of a table is a record, deletions have no value', () => {
  checkStream(
    (stream) => {
      stream.toTable({ store: 'rows' }).toStream().to(NUMBERS);
    },
    ({ key, value }) => (key === null ? [] : [{ topic: 'numbers', key, value }]),
    ({ key }) => (key === null ? ['null-key'] : []),
  );
});

test('of a table that was made of another one, what that makes of each update', () => {
  checkStream(
    (stream) => {
      const rows = stream.toTable({ store: 'rows' });
      rows
        .mapValues((value) => value * 10)
        .toStream()
        .to(NUMBERS);
    },
    ({ key, value }) => (key === null ? [] : [{ topic: 'numbers', key, value: value === null ? null : value * 10 }]),
    ({ key }) => (key === null ? ['null-key'] : []),
  );
});
