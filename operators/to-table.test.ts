import { test } from 'node:test';
import { int64 } from '../schemas/schemas.ts';
import { checkStream, NUMBERS, type Numbered, TEXTS } from './testing/one-stream.fixture.ts';

const ofNoKey = ({ key }: Numbered) => (key === null ? ['null-key'] : []);

test('each record is an update of the row of its key; without a value it deletes', () => {
  checkStream(
    (stream) => {
      stream.toTable({ store: 'rows' }).toStream().to(NUMBERS);
    },
    ({ key, value }) => (key === null ? [] : [{ topic: 'numbers', key, value }]),
    ofNoKey,
  );
});

test('what looks into it finds the newest row in order of arrival, its own record included', () => {
  checkStream(
    (stream) => {
      const table = stream.mapValues((value) => value).toTable({ store: 'rows', value: int64() });
      stream
        .filter((value) => value !== null)
        .leftJoinTable(table, { merge: (value, row) => `${value}/${row}` })
        .to(TEXTS);
    },
    ({ key, value }) => {
      if (value === null) return [];
      return [{ topic: 'texts', key, value: `${value}/${key === null ? null : value}` }];
    },
    ofNoKey,
  );
});
