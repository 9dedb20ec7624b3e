import { avro, topology as defineTopology, generator, int64, string, topic, tumbling, windowed } from '../../index.ts';

/** The job that is killed: a bounded generator, a topic, a running count and windowed sums with final results. */
export const RECORDS = 30_000;
export const KEYS = 50;
export const WINDOW_MS = 1000;
const PARTITIONS = 4;

const reading = avro({
  type: 'record',
  name: 'Reading',
  fields: [
    { name: 'sensor', type: 'string' },
    { name: 'value', type: 'long' },
    { name: 'at', type: 'long' },
  ],
});

const sum = avro({
  type: 'record',
  name: 'Sum',
  fields: [
    { name: 'count', type: 'long' },
    { name: 'total', type: 'long' },
  ],
});

export function makeReading(n: number) {
  return { sensor: `sensor-${(n * 7) % KEYS}`, value: (n * 31) % 1000, at: n };
}

export const readings = topic('readings', { key: string(), value: reading, partitions: PARTITIONS });
export const counts = topic('counts', { key: string(), value: int64(), partitions: PARTITIONS });
export const sums = topic('sums', { key: windowed(string(), WINDOW_MS), value: sum, partitions: PARTITIONS });

export const topology = defineTopology('crash');

topology
  .read(generator({ count: RECORDS, make: makeReading }), {
    name: 'sensors',
    key: (each) => each.sensor,
    keySerde: string(),
    value: reading,
    time: (each) => each.at,
  })
  .to(readings);

const stream = topology.stream(readings);
stream.groupByKey().count({ store: 'running' }).toStream().to(counts);
stream
  .groupByKey()
  .window(tumbling(WINDOW_MS))
  .aggregate({
    store: 'windows',
    value: sum,
    initial: () => ({ count: 0, total: 0 }),
    add(row, each) {
      row.count++;
      row.total += each.value;
    },
  })
  .suppress()
  .toStream()
  .to(sums);

/** What a naive reading of the generator gives; each list sorted. */
export function expectedResults() {
  const counted = new Map<string, number>();
  const windows = new Map<string, { count: number; total: number }>();
  const updates: string[] = [];
  for (let n = 0; n < RECORDS; n++) {
    const { sensor, value, at } = makeReading(n);
    const count = (counted.get(sensor) ?? 0) + 1;
    counted.set(sensor, count);
    updates.push(`${sensor} ${count}`);
    const window = `${sensor} ${at - (at % WINDOW_MS)}`;
    const row = windows.get(window) ?? { count: 0, total: 0 };
    windows.set(window, { count: row.count + 1, total: row.total + value });
  }
  const finals = [...windows].map(([window, { count, total }]) => `${window} ${count} ${total}`);
  return { records: RECORDS, counts: updates.sort(), sums: finals.sort() };
}
