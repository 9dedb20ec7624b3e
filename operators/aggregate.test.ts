import { test } from 'node:test';
import { int64, string } from '../schemas/schemas.ts';
import { checkStream, NUMBERS, type Numbered, TEXTS } from './testing/one-stream.fixture.ts';

const counts = ({ key, value }: Numbered) => key !== null && value !== null;
const ofNoUse = ({ key, value }: Numbered) => {
  if (key === null) return ['null-key'];
  return value === null ? ['null-value'] : [];
};
/** The records of a key up to this one, and the largest of their times. */
function group(record: Numbered, before: readonly Numbered[]) {
  const all = [...before, record].filter((each) => each.key === record.key && counts(each));
  return { values: all.map(({ value }) => value), timestamp: Math.max(...all.map((each) => each.timestamp)) };
}

test('count: how many records of a key have a value, with the largest of their times', () => {
  checkStream(
    (stream) => {
      const table = stream.groupByKey().count({ store: 'counts' });
      table
        .toStream()
        .mapValues((count) => count ?? -1)
        .to(NUMBERS);
    },
    (record, before) => {
      if (!counts(record)) return [];
      const { values, timestamp } = group(record, before);
      return [{ topic: 'numbers', key: record.key, value: values.length, timestamp }];
    },
    ofNoUse,
  );
});

test('reduce: begins with the first value, in numbers', () => {
  checkStream(
    (stream) => {
      const table = stream.groupByKey().reduce({ store: 'rows', value: int64(), add: (row, value) => value - row });
      table
        .toStream()
        .mapValues((row) => row ?? -1)
        .to(NUMBERS);
    },
    (record, before) => {
      if (!counts(record)) return [];
      const { values, timestamp } = group(record, before);
      const value = values.reduce((row, each) => each - row);
      return [{ topic: 'numbers', key: record.key, value, timestamp }];
    },
    ofNoUse,
  );
});

test('aggregate: begins with what is said, in texts, and the function may ask for the key', () => {
  checkStream(
    (stream) => {
      const table = stream.groupByKey().aggregate({
        store: 'rows',
        value: string(),
        initial: () => '0',
        add: (row, value, key) => `${row}${key}${value}`,
      });
      table
        .toStream()
        .mapValues((row) => row ?? '')
        .to(TEXTS);
    },
    (record, before) => {
      if (!counts(record)) return [];
      const { values, timestamp } = group(record, before);
      const value = values.reduce((row, each) => `${row}${record.key}${each}`, '0');
      return [{ topic: 'texts', key: record.key, value, timestamp }];
    },
    ofNoUse,
  );
});

test('what answers nothing deletes the row, and the next record begins anew', () => {
  checkStream(
    (stream) => {
      const add = (row: number, value: number) => (value < 0 ? (null as unknown as number) : row + value);
      const table = stream.groupByKey().aggregate({ store: 'rows', value: int64(), initial: () => 100, add });
      table
        .toStream()
        .mapValues((row) => row ?? -1)
        .to(NUMBERS);
    },
    (record, before) => {
      if (!counts(record)) return [];
      const all = [...before, record].filter((each) => each.key === record.key && counts(each));
      const begun = all.slice(all.findLastIndex(({ value }, i) => value < 0 && i < all.length - 1) + 1);
      const timestamp = Math.max(...begun.map((each) => each.timestamp));
      const value = record.value < 0 ? -1 : begun.reduce((row, each) => row + each.value, 100);
      return [{ topic: 'numbers', key: record.key, value, timestamp }];
    },
    ofNoUse,
  );
});
