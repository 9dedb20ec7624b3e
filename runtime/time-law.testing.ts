import { int64, string, type Windowed, windowed } from '../schemas/schemas.ts';
import { type Program, topic, topology, tumbling } from '../topology/topology.ts';

/** A re-keyed windowed aggregate whose final results are re-keyed into one more, over any numbers of partitions. */
export interface Counts {
  readonly sources: number;
  readonly middle: number;
  readonly last: number;
}

export const SIZE = 10;
export const GRACE = 6;
const WIDE = 3 * SIZE;

export interface LawEvent {
  readonly value: number;
  readonly timestamp: number;
  readonly partition: number;
}

export interface Total {
  readonly key: string;
  readonly start: number;
  readonly value: number;
}

export const lawInput = (partitions: number) => topic('in', { key: string(), value: int64(), partitions });
export const lawOutput = (partitions: number) =>
  topic('out', { key: windowed(string(), WIDE), value: int64(), partitions });

const sum = { value: int64(), initial: () => 0, add: (before: number, value: number | null) => before + (value ?? 0) };
const keyOf = (value: number) => `k${value % 5}`;
const groupOf = ({ key }: Windowed<string>) => (key < 'k2' ? 'low' : 'high');

export function lawProgram({ sources, middle, last }: Counts): Program {
  const app = topology('law');
  app
    .stream(lawInput(sources))
    .groupBy((value) => keyOf(value ?? 0), { name: 'first', key: string(), partitions: middle })
    .window(tumbling(SIZE, { grace: GRACE }))
    .aggregate({ store: 'sums', ...sum })
    .suppress()
    .toStream()
    .groupBy((_, key) => groupOf(key), { name: 'second', key: string(), partitions: last })
    .window(tumbling(WIDE, { grace: GRACE }))
    .aggregate({ store: 'totals', ...sum })
    .suppress()
    .toStream()
    .to(lawOutput(last));
  return app.build();
}

/** What must come out, by window and key; only windows that have closed at this time, where one is given. */
export function lawTotals(events: readonly LawEvent[], at = Number.POSITIVE_INFINITY): readonly Total[] {
  const sums = new Map<string, { key: string; start: number; value: number; latest: number }>();
  for (const { value, timestamp } of events) {
    const key = keyOf(value);
    const start = timestamp - (timestamp % SIZE);
    const row = sums.get(`${key} ${start}`) ?? { key, start, value: 0, latest: 0 };
    row.value += value;
    row.latest = Math.max(row.latest, timestamp);
    sums.set(`${key} ${start}`, row);
  }
  const totals = new Map<string, Total>();
  for (const { key, value, latest } of sums.values()) {
    const group = groupOf({ key, start: 0, end: 0 });
    const start = latest - (latest % WIDE);
    const before = totals.get(`${group} ${start}`)?.value ?? 0;
    totals.set(`${group} ${start}`, { key: group, start, value: before + value });
  }
  return sortTotals([...totals.values()].filter(({ start }) => start + WIDE + GRACE <= at));
}

export function sortTotals(totals: readonly Total[]): readonly Total[] {
  return [...totals].sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
}
