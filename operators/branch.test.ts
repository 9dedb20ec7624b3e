import { test } from 'node:test';
import { checkStream, NUMBERS, type Numbered, TEXTS } from './testing/one-stream.fixture.ts';

const nth = (key: string, value: unknown) => ({ topic: 'texts', key, value }) as const;

test('each record goes to the first arm that takes it, and to no other', () => {
  checkStream(
    (stream) => {
      const { big, keyed, rest } = stream.branch({
        big: (value) => value > 5,
        keyed: (_value, key) => key === 'a',
        rest: true,
      });
      big.mapValues((value) => `big ${value}`).to(TEXTS);
      keyed.mapValues((value) => `keyed ${value}`).to(TEXTS);
      rest.to(NUMBERS);
    },
    ({ key, value }) => {
      if (value > 5) return [nth(key, `big ${value}`)];
      return key === 'a' ? [nth(key, `keyed ${value}`)] : [{ topic: 'numbers', key, value }];
    },
  );
});

test('what no arm takes is counted', () => {
  const taken = ({ value }: Numbered) => value % 2 === 0;
  checkStream(
    (stream) => stream.branch({ even: (value) => value % 2 === 0 }).even.to(NUMBERS),
    (record) => (taken(record) ? [{ topic: 'numbers', key: record.key, value: record.value }] : []),
    (record) => (taken(record) ? [] : ['no-arm']),
  );
});
