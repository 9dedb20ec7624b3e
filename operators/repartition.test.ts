import { test } from 'node:test';
import { int64, string } from '../schemas/schemas.ts';
import { checkStream, NUMBERS, type Numbered, TEXTS } from './testing/one-stream.fixture.ts';

const options = { name: 'again', key: string(), value: int64(), partitions: 1 } as const;
const ofNoKey = ({ key }: Numbered) => (key === null ? ['null-key'] : []);

test('what goes through comes out as it went in; records without a key are counted', () => {
  checkStream(
    (stream) => stream.repartition(options).to(NUMBERS),
    ({ key, value }) => (key === null ? [] : [{ topic: 'numbers', key, value }]),
    ofNoKey,
  );
});

test('groupBy is a new key and a repartition', () => {
  checkStream(
    (stream) =>
      stream
        .filter((value) => value !== null)
        .groupBy((value) => (value < 0 ? (null as unknown as string) : `k${value}`), options)
        .count({ store: 'counts' })
        .toStream()
        .mapValues((count) => count ?? -1)
        .to(NUMBERS),
    ({ value, timestamp }, before) => {
      if (value === null || value < 0) return [];
      const same = before.filter((each) => each.value === value);
      const latest = Math.max(timestamp, ...same.map((each) => each.timestamp));
      return [{ topic: 'numbers', key: `k${value}`, value: 1 + same.length, timestamp: latest }];
    },
    ({ value }) => (value !== null && value < 0 ? ['null-key'] : []),
  );
});

test('where a left join lies behind, records without a key go on, and are counted where they are of no use', () => {
  checkStream(
    (stream) => {
      const again = stream.filter((value) => value !== null).repartition(options);
      const table = again.toTable({ store: 'newest' });
      again.leftJoinTable(table, { merge: (value, row) => `${value}/${row}` }).to(TEXTS);
    },
    ({ key, value }) => {
      if (value === null) return [];
      return [{ topic: 'texts', key, value: key === null ? `${value}/null` : `${value}/${value}` }];
    },
    (record) => (record.value === null ? [] : ofNoKey(record)),
  );
});
