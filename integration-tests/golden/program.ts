import type { ProcessContext } from '../../operators/operators.ts';
import { avro, double, int64, json, string, windowed } from '../../schemas/schemas.ts';
import {
  counts,
  hopping,
  keyValueStore,
  type Program,
  session,
  sessionStore,
  sliding,
  topic,
  topology,
  tumbling,
  versionedStore,
  windowStore,
} from '../../topology/topology.ts';

/**
 * Stores of every form, by operators whose rows are kept. What is added here changes the files of formats that are kept:
 * give it a program of its own.
 */
const KEYED = { key: string(), partitions: 1 } as const;
export const EVENTS = topic('events', { ...KEYED, value: int64() });
const stats = avro({
  type: 'record',
  name: 'Stats',
  fields: [
    { name: 'count', type: 'long' },
    { name: 'sum', type: 'double' },
    { name: 'odd', type: 'boolean' },
  ],
});
export const RATES = topic('rates', { ...KEYED, value: stats });
const texts = topic('texts', { ...KEYED, value: string() });

export function goldenProgram(): Program {
  const app = topology('golden');
  const events = app.stream(EVENTS);
  const rates = app.table(RATES, { store: 'rates' });
  const prices = app.stream(EVENTS).toTable({ store: 'prices', value: int64(), history: 1000 });
  const grouped = events.groupByKey();
  const asTexts = events.mapValues(String);
  const text = { value: string(), initial: () => '', add: (all: string, one: number) => `${all}${one};` };
  const merge = (a: string, b: string) => `${a}&${b}`;
  const sum = { value: int64(), add: (all: number, one: number) => all + one };

  grouped.count({ store: 'counts' }).toStream().mapValues(String).to(texts);
  grouped
    .aggregate({
      store: 'lists',
      value: json<number[]>(),
      initial: () => [],
      add: (all, one) => [...all, one].slice(-3),
    })
    .toStream()
    .mapValues((list) => list.join())
    .to(texts);
  grouped
    .window(tumbling(10, { grace: 5 }))
    .aggregate({ store: 'tumbles', ...text, retention: 1000 })
    .suppress({ untilWindowCloses: true, store: 'held', maxRecords: 100 })
    .toStream()
    .to(topic('tumbles-out', { key: windowed(string(), 10), value: string(), partitions: 1 }));
  grouped.window(hopping(10, { advance: 5, grace: 1000 })).aggregate({
    store: 'hops',
    value: stats,
    initial: () => ({ count: 0, sum: 0, odd: false }),
    add(row, value) {
      row.count++;
      row.sum += value;
      row.odd = row.count % 2 === 1;
    },
  });
  grouped.window(sliding({ difference: 7, grace: 1000 })).reduce({ store: 'slides', ...sum });
  grouped.window(session({ gap: 4, grace: 1000 })).aggregate({ store: 'sessions', ...text, merge });
  grouped.window(counts({ size: 3, every: 2 })).reduce({ store: 'threes', ...sum });
  events
    .outerJoinStream(rates.toStream(), {
      name: 'near',
      within: { before: 1000, after: 1000, grace: 3 },
      merge: (value, rate, key) => `${key}:${value}~${rate?.sum}`,
    })
    .to(texts);
  events
    .joinTable(prices, { name: 'later', grace: 1000, value: int64(), merge: (value, price) => `${value}*${price}` })
    .to(texts);
  asTexts.deduplicate({ within: 1000, store: 'passed' }).to(texts);
  events
    .difference({ store: 'newest', fn: (value, before) => value - before })
    .mapValues(String)
    .to(texts);
  grouped
    .cogroup((all: number, value) => all + value)
    .aggregate({ store: 'cogrouped', value: double(), initial: () => 1 })
    .toStream()
    .mapValues(String)
    .to(texts);
  rates
    .suppress({ untilTimeLimit: 1000, store: 'held-rates', maxRecords: 100 })
    .toStream()
    .to(
      topic('rates-out', {
        ...KEYED,
        value: stats,
      }),
    );
  events
    .process<string>({
      name: 'own',
      stores: [
        keyValueStore('sums', { key: string(), value: double() }),
        windowStore('seen', { key: string(), value: string(), retention: 1000 }),
        sessionStore('visits', { key: string(), value: double(), retention: 1000 }),
        versionedStore('versions', { key: string(), value: string(), history: 1000 }),
      ],
      supplier: () => ({
        process(value: number, key: string | null, context: ProcessContext<string, string>) {
          const { timestamp } = context;
          const sums = context.store<string, number>('sums');
          sums.put(key!, (sums.get(key!) ?? 0) + value);
          context.windowStore<string, string>('seen').put(key!, timestamp - (timestamp % 5), `${value}`);
          context.sessionStore<string, number>('visits').put(key!, timestamp, timestamp + 2, value);
          context.versionedStore<string, string>('versions').put(key!, `${value}`, timestamp);
          context.forward(key!, `${sums.get(key!)}`);
        },
      }),
      value: string(),
    })
    .to(texts);
  return app.build();
}
