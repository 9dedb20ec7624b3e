import { test } from 'node:test';
import { checkStream, NUMBERS, type Numbered } from './testing/one-stream.fixture.ts';

const several = ({ key, value }: Numbered) =>
  Array.from({ length: Math.max(0, value % 4) }, (_, i) => [`${key}${i}`, value * i] as const);

test('any number of records for one, in order', () => {
  checkStream(
    (stream) => stream.flatMap((value, key) => several({ key, value, timestamp: 0 })).to(NUMBERS),
    (record) => several(record).map(([key, value]) => ({ topic: 'numbers', key, value })),
  );
});

test('each goes all the way down before the next is made', () => {
  const made: string[] = [];
  checkStream(
    (stream) =>
      stream
        .flatMap(function* (value, key) {
          made.length = 0;
          for (const pair of several({ key, value, timestamp: 0 })) {
            made.push(pair[0]);
            yield pair;
          }
        })
        .mapValues(() => made.length)
        .to(NUMBERS),
    (record) => several(record).map(([key], i) => ({ topic: 'numbers', key, value: i + 1 })),
  );
});
