import { generator, int64, string, topic, topology } from '../../index.ts';

/** Names that are the test's own on a broker that others use too; set before this is loaded. */
const run = process.env['CLIENTS_RUN'] ?? 'clients';
const KEYED = { key: string(), value: int64(), partitions: 2 } as const;

export const COUNT = 600;
export const numbers = topic(`${run}-numbers`, KEYED);
export const thirds = topic(`${run}-thirds`, KEYED);
export const counts = topic(`${run}-counts`, KEYED);

const app = topology(run);
app
  .read(generator({ count: COUNT, make: (n) => n }), {
    name: 'made',
    key: (n) => `k${n % 20}`,
    keySerde: string(),
    value: int64(),
    time: (n) => n,
  })
  .to(numbers);
const kept = app.stream(numbers).filter((n) => n % 3 === 0);
kept.to(thirds);
kept.groupByKey().count({ store: 'counts' }).toStream().to(counts);

export { app as topology };
