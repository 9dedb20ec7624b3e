import { generator, int64, string, topic, topology } from '../../index.ts';

/** Names that are the test's own on a broker that others use too; set before this is loaded. */
const run = process.env['CLIENTS_RUN'] ?? 'clients';
const KEYED = { key: string(), value: int64(), partitions: 2 } as const;

export const COUNT = 600;

/** Every third number, and how many of them each key has. */
function jobOf(client: string) {
  const numbers = topic(`${run}-${client}-numbers`, KEYED);
  const thirds = topic(`${run}-${client}-thirds`, KEYED);
  const counts = topic(`${run}-${client}-counts`, KEYED);
  const app = topology(`${run}-${client}`);
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
  return { topology: app, thirds, counts };
}

export const jobs = { kafkajs: jobOf('kafkajs'), confluent: jobOf('confluent') } as const;

/** Where the worker threads find them. */
export const kafkajs = jobs.kafkajs.topology;
export const confluent = jobs.confluent.topology;
