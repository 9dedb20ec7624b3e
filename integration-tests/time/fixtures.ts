import { generator, int64, string, topic, topology, tumbling, windowed } from '../../index.ts';

/** Splits that lie one behind the other in time, re-keyed into windows, and the results of these into wider ones. */
const RECORDS = 4000;
const SPLITS = 4;
const SIZE = 50;
const WIDE = 500;

const keyOf = (n: number) => `k${n % 13}`;
/** Out of order by less than the grace. */
const timeOf = (n: number) => n + ((n * 7) % 20);
const GRACE = 20;
const groupOf = (key: string) => `g${key.length}`;
const sum = { value: int64(), initial: () => 0, add: (before: number, value: number) => before + value };

export const outOf = (partitions: number) =>
  topic(`totals-${partitions}`, { key: windowed(string(), WIDE), value: int64(), partitions });

function application(partitions: number) {
  const app = topology(`time-${partitions}`);
  app
    .read(generator({ count: RECORDS, splits: SPLITS, make: (n) => n }), {
      name: 'numbers',
      key: keyOf,
      keySerde: string(),
      value: int64(),
      time: timeOf,
    })
    .groupBy((_, key) => key, { name: 'first', key: string(), partitions })
    .window(tumbling(SIZE, { grace: GRACE }))
    .aggregate({ store: 'sums', ...sum })
    .suppress()
    .toStream()
    .groupBy((_, { key }) => groupOf(key), { name: 'second', key: string(), partitions })
    .window(tumbling(WIDE, { grace: GRACE }))
    .aggregate({ store: 'totals', ...sum })
    .suppress()
    .toStream()
    .to(outOf(partitions));
  return app;
}

export const by1 = application(1);
export const by2 = application(2);
export const by7 = application(7);

/** `group start total`, sorted. */
export function expectedTotals(): readonly string[] {
  const sums = new Map<string, { readonly group: string; value: number; latest: number }>();
  for (let n = 0; n < RECORDS; n++) {
    const at = timeOf(n);
    const id = `${keyOf(n)} ${at - (at % SIZE)}`;
    const row = sums.get(id) ?? { group: groupOf(keyOf(n)), value: 0, latest: 0 };
    sums.set(id, { ...row, value: row.value + n, latest: Math.max(row.latest, at) });
  }
  const totals = new Map<string, number>();
  for (const { group, value, latest } of sums.values()) {
    const id = `${group} ${latest - (latest % WIDE)}`;
    totals.set(id, (totals.get(id) ?? 0) + value);
  }
  return [...totals].map(([id, value]) => `${id} ${value}`).sort();
}
