import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64, json, string, type Windowed } from '../schemas/schemas.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  type FinalRows,
  type FinalTable,
  hopping,
  type Stream,
  session,
  sliding,
  topic,
  topology,
  tumbling,
  unlimited,
  type WindowedTable,
} from './topology.ts';

/** Checked by the compiler; what must not compile is marked. At run time the calls only build a plan. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Visit {
  readonly page: string;
  readonly patience: number;
}

const visits = topic('visits', { key: string(), value: json<Visit>(), partitions: 12 });
const grouped = () =>
  topology('types')
    .stream(visits)
    .filter((visit): visit is Visit => visit !== null)
    .groupByKey();
const sum = { store: 's', value: int64(), initial: () => 0, add: (count: number) => count + 1 };

test('windows that never merge have no deletions and take no merge', () => {
  for (const windows of [tumbling(10), hopping(10, { advance: 5 })]) {
    const table = grouped().window(windows).count({ store: 's' });
    same<typeof table, WindowedTable<string, number, 12>>();
  }
  const table = grouped()
    .window(sliding({ difference: 10 }))
    .aggregate(sum);
  same<typeof table, WindowedTable<string, number, 12>>();
  const rows = table.toStream();
  same<typeof rows, Stream<Windowed<string>, number, 12>>();
  const finals = table.suppress();
  same<typeof finals, FinalTable<string, number, 12>>();
  grouped().window(unlimited()).count({ store: 's' });
  grouped()
    .window(cumulative({ step: 1, max: 2 }))
    .count({ store: 's' });
  grouped()
    .window(calendar({ unit: 'day', timeZone: 'UTC' }))
    .count({ store: 's' });
  const full = grouped()
    .window(counts({ size: 3 }))
    .reduce({ store: 's', value: json<Visit>(), add: (_old, next) => next });
  same<typeof full, WindowedTable<string, Visit, 12>>();
  const merging = { ...sum, merge: (a: number, b: number) => a + b };
  const tumbled = grouped().window(tumbling(10));
  // @ts-expect-error nothing merges
  tumbled.aggregate(merging);
});

test('sessions delete, and their aggregates merge', () => {
  const windows = session({ gap: { minutes: 5 } });
  const counted = grouped().window(windows).count({ store: 's' });
  same<typeof counted, WindowedTable<string, number, 12, null>>();
  const rows = counted.toStream();
  same<typeof rows, Stream<Windowed<string>, number | null, 12>>();
  const finals = counted.suppress().toStream();
  same<typeof finals, Stream<Windowed<string>, number, 12>>();
  grouped()
    .window(windows)
    .aggregate({ ...sum, merge: (a, b) => a + b });
  // @ts-expect-error a merge is missing
  grouped().window(windows).aggregate(sum);
  grouped()
    .window(windows)
    .aggregate({
      ...sum,
      // @ts-expect-error the merged aggregate is no number
      merge: (a, b) => `${a}${b}`,
    });
  const closing = grouped()
    .window(windows)
    .emitOnClose()
    .aggregate({ ...sum, merge: (a, b) => a + b });
  same<typeof closing, FinalRows<string, number, 12, Visit>>();
});

test('functions of windows get the records', () => {
  grouped().window(session({ gap: (visit, key) => visit.patience + key.length }));
  grouped().window(session({ gap: (visit) => ({ seconds: visit.patience }) }));
  // @ts-expect-error visits have no such field
  grouped().window(session({ gap: (visit) => visit.impatience }));
  const own = custom<Visit, string>({
    name: 'own',
    assign: (time, visit) => ({ start: time, end: time + visit.patience }),
    close: ({ end }) => end + 5,
  });
  const table = grouped().window(own).aggregate(sum);
  same<typeof table, WindowedTable<string, number, 12, null>>();
  grouped().window(custom({ name: 'by page', assign: (time, visit) => ({ start: 0, end: time + visit.page.length }) }));
  // @ts-expect-error windows of other records
  grouped().window(session<number, string>({ gap: (value) => value }));
});

test('a window of size zero does not compile, where its number is seen, and never builds', () => {
  const hour = { hours: 1 };
  const some: number = 5;
  const fine = [
    tumbling(1),
    tumbling({ seconds: 0, ms: 1 }),
    tumbling(hour),
    tumbling(some),
    hopping(hour, { advance: 5 }),
  ];
  assert.equal(fine.length, 5);
  // @ts-expect-error a window of size zero holds no record
  tumbling(0);
  // @ts-expect-error a window of size zero holds no record
  tumbling({ minutes: 0 });
  // @ts-expect-error a window of size zero holds no record
  hopping(0, { advance: 1 });
  // @ts-expect-error windows that begin at one place
  hopping(10, { advance: { ms: 0 } });
  // @ts-expect-error a window of size zero holds no record
  sliding({ difference: 0 });
  // @ts-expect-error a window of size zero holds no record
  cumulative({ step: 0, max: 10 });
});
