import { avro, double, int64, string, windowed } from '../../schemas/schemas.ts';
import {
  hopping,
  keyValueStore,
  type Program,
  sessionStore,
  topic,
  topology,
  tumbling,
  versionedStore,
  windowStore,
} from '../../topology/topology.ts';
import type { ProcessContext, Processor } from '../process.ts';
import type { TestProgram } from './test-task.ts';

const KEYED = { key: string(), partitions: 1 } as const;
export const EVENTS = topic('events', { ...KEYED, value: int64() });
const numbersOut = topic('numbers-out', { ...KEYED, value: int64() });
const textsOut = topic('texts-out', { ...KEYED, value: string() });

/** A row of three cells. */
export const stats = avro({
  type: 'record',
  name: 'Stats',
  fields: [
    { name: 'count', type: 'long' },
    { name: 'sum', type: 'double' },
    { name: 'odd', type: 'boolean' },
  ],
});

const named = avro({ type: 'record', name: 'Named', fields: [{ name: 'name', type: 'string' }] });

const NAMES_OUT = { ...KEYED, value: named } as const;
export const NAMES = topic('names', { ...KEYED, value: named });
const ratesOut = topic('rates-out', { ...KEYED, value: stats });
export const RATES = topic('rates', { ...KEYED, value: stats });
export const PRICES = topic('prices', { ...KEYED, value: int64() });

export const HOP = { sizeMs: 10, advanceMs: 4, graceMs: 3 };
export const TUMBLE = { sizeMs: 8, graceMs: 5 };

/** Every kind of node at once, over three topics. */
export function everything(): TestProgram {
  return testProgram(everyNode());
}

/** The same, as it is run. */
export function everyNode(): Program {
  const app = topology('everything');
  const events = app.stream(EVENTS);
  const names = app.table(NAMES, { store: 'names' });
  const rates = app.table(RATES, { store: 'rates' });
  const present = events.filterNot((value) => value === null);

  present
    .filter((value) => value % 3 !== 0)
    .mapValues((value) => value * 2)
    .to(numbersOut);
  present
    .flatMap((value, key) => (value > 6 ? [] : [[`${key}-x`, value] as const, [`${key}-y`, -value] as const]))
    .to(numbersOut);
  present
    .flatMapValues((value, key) => Array.from({ length: value % 3 }, (_, i) => `${key}${value}.${i}`))
    .to(textsOut);
  present.forEach(() => {});
  const { small, large } = present.branch({ small: (value) => value < 3, large: (value) => value > 6 });
  small
    .merge(large.map((value, key) => [key, value + 100] as const))
    .peek(() => {})
    .to(numbersOut);

  present.toTable({ store: 'latest', value: int64() }).toStream().to(numbersOut);
  events.groupByKey().count({ store: 'counts' }).toStream().to(numbersOut);
  present
    .mapValues(String)
    .groupByKey()
    .reduce({ store: 'joined-texts', value: string(), add: (all, next) => (all.length > 6 ? next : all + next) })
    .toStream()
    .to(textsOut);

  const global = app.globalTable(topic('everywhere', { key: string(), value: stats, partitions: 1 }), {
    store: 'everywhere',
  });
  present
    .leftJoinGlobal(global, {
      key: (value) => (value > 7 ? null : 'ab'.slice(value % 3)),
      merge: (_value, row) => row?.sum ?? 0,
    })
    .mapValues((sum, key) => `${key}:${sum}`)
    .to(textsOut);

  // What a join hands on may be the row itself; the next look into the table must not change it.
  present
    .joinTable(names, { merge: (value, row, key) => ({ text: `${key}:${value}`, row }) })
    .leftJoinTable(names, { merge: ({ text, row }, again) => `${text}:${row.name}=${again?.name}` })
    .to(textsOut);
  present
    .leftJoinTable(rates, { merge: (_value, rate) => rate })
    .leftJoinTable(rates, { merge: (rate, again) => `${rate?.sum}=${again?.sum}` })
    .to(textsOut);

  // A table that keeps no rows is read through those it is made of, by joins and by the next table.
  const short = names.filter(({ name }) => name !== 'n3');
  const shown = short.mapValues(({ name }, key) => `${key}=${name}`, { store: 'shown', value: string() });
  const both = rates.outerJoinTable(short, { name: 'both', merge: (rate, row) => `${rate?.sum}/${row?.name}` });
  const all = both.leftJoinTable(shown, { store: 'all', value: string(), merge: (one, other) => `${one}|${other}` });
  all.toStream().to(textsOut);
  present.leftJoinTable(both, { merge: (value, row) => `${value}:${row}` }).to(textsOut);
  const bySum = { name: 'by-sum', key: string(), value: stats, partitions: 1 } as const;
  rates
    .groupBy((rate) => [`r${rate.sum % 3}`, rate], bySum)
    .aggregate({
      store: 'rate-sums',
      value: stats,
      initial: () => ({ count: 0, sum: 0, odd: false }),
      add(row, rate) {
        row.count++;
        row.sum += rate.sum;
      },
      subtract(row, rate) {
        row.count--;
        row.sum -= rate.sum;
      },
    })
    .toStream()
    .to(ratesOut);
  const grouped = all.groupBy((text) => [text.slice(-1), text], {
    ...{ name: 'by-end', key: string(), value: string(), partitions: 1 },
  });
  grouped.count({ store: 'ends' }).toStream().to(numbersOut);
  grouped
    .reduce({
      store: 'end-texts',
      value: string(),
      add: (a, b) => `${a}+${b}`.slice(-9),
      subtract: (a, b) => `${a}-${b}`,
    })
    .toStream()
    .to(textsOut);
  present
    .outerJoinStream(rates.toStream(), {
      name: 'near',
      within: { before: 7, after: 12, grace: 3 },
      merge: (value, rate, key) => `${key}:${value}~${rate?.sum}`,
    })
    .to(textsOut);
  names
    .toStream()
    .leftJoinStream(present.mapValues(String), {
      name: 'named',
      within: { before: 90, after: -5 },
      merge: (row, value) => `${row.name}~${value}`,
      right: string(),
    })
    .to(textsOut);
  events
    .joinStream(events, { name: 'pairs', within: { before: 5, after: 5 }, merge: (a, b) => a * 10 + b })
    .to(numbersOut);

  // rows of one table that name rows of the other, by one of their cells; its own rows are asked for
  const named = { foreignKey: ({ sum }: { sum: number }) => (sum > 6 ? null : 'ab'.slice(sum % 3)), value: string() };
  const rated = rates.leftJoinForeign(
    short.mapValues(({ name }) => name, { value: string() }),
    {
      ...{ ...named, name: 'rated', store: 'rated' },
      merge: ({ sum }, name, key) => `${key}${sum}:${name}`,
    },
  );
  rated
    .outerJoinTable(shown, { merge: (one, other) => `${one}~${other}` })
    .toStream()
    .to(textsOut);
  rates
    .joinForeign(names, { ...named, name: 'fixed', merge: ({ sum }, { name }) => `${sum}:${name}` })
    .toStream()
    .to(textsOut);

  const prices = app.table(PRICES, { store: 'prices', history: 25 });
  prices.toStream().to(numbersOut);
  const priced = present.joinTable(prices, {
    name: 'price-later',
    grace: 6,
    value: int64(),
    merge: (value, price) => `${value}*${price}`,
  });
  priced.to(textsOut);
  priced.late().to(numbersOut);
  present
    .leftJoinTable(prices, { merge: (value, price) => ({ value, price }) })
    .leftJoinTable(prices, { merge: ({ value, price }, again) => `${value}*${price}=${again}` })
    .to(textsOut);
  const shares = present.toTable({ store: 'shares', value: int64(), history: 10 });
  present.leftJoinTable(shares, { merge: (value, share) => `${value}/${share}` }).to(textsOut);

  // the keys come back in order, whichever call ends first; the window behind takes what it brings
  present
    .mapAsync({ name: 'asked', concurrency: 2, fn: (value, key) => `${key}?${value}`, value: string() })
    .to(textsOut);
  present
    .mapAsync({ name: 'asked-many', concurrency: 3, order: 'partition', fn: (value) => value * 3, value: int64() })
    .flatMap((value, key) => [[key, value] as const, [`${key}+`, value] as const])
    .leftLookup({
      ...{ name: 'looked-up', concurrency: 1, order: 'partition', key: string(), input: int64() },
      cache: { maxEntries: 2, ttl: 10 },
      fn: (key) => (key.length > 1 ? key.length : null),
      merge: (value, row, key) => `${key} ${value} ${row}`,
    })
    .to(textsOut);

  const hops = present
    .groupBy((value) => `g${value % 2}`, { name: 'by-parity', key: string(), value: int64(), partitions: 1 })
    .window(hopping(HOP.sizeMs, { advance: HOP.advanceMs, grace: HOP.graceMs }))
    .aggregate({
      store: 'hops',
      value: stats,
      initial: () => ({ count: 0, sum: 0, odd: false }),
      add(row, value) {
        row.count++;
        row.sum += value;
        row.odd = row.count % 2 === 1;
      },
    });
  const hopOut = { key: windowed(string(), HOP.sizeMs), value: stats, partitions: 1 } as const;
  hops.toStream().to(topic('hop-updates', hopOut));
  hops.suppress().toStream().to(topic('hop-finals', hopOut));
  hops.late().to(numbersOut);

  hops
    .toStream()
    .leftJoinTable(hops, { merge: (row, again) => `${row.sum}=${again?.sum}` })
    .to(topic('hop-self', { ...hopOut, value: string() }));

  const tumbles = events
    .mapValues((value) => `${value}`)
    .groupByKey()
    .window(tumbling(TUMBLE.sizeMs, { grace: TUMBLE.graceMs }))
    .aggregate({
      store: 'tumbles',
      value: string(),
      retention: 40,
      initial: () => '',
      add: (row, value, key) => `${row}${key}${value};`,
    });
  const tumbleOut = { key: windowed(string(), TUMBLE.sizeMs), value: string(), partitions: 1 } as const;
  tumbles.suppress().toStream().to(topic('tumble-finals', tumbleOut));
  tumbles
    .toStream()
    .leftJoinTable(tumbles, { merge: (a, b) => `${a === b}` })
    .to(topic('self', tumbleOut));

  names
    .suppress({ untilTimeLimit: 6, store: 'held-names', maxRecords: 2 })
    .toStream()
    .to(topic('names-out', NAMES_OUT));
  tumbles
    .suppress({ untilWindowCloses: true, store: 'held-tumbles', maxRecords: 1000 })
    .toStream()
    .to(topic('held-tumbles-out', tumbleOut));
  events
    .groupByKey()
    .cogroup((sum: number, value, key) => sum + (value ?? 0) + (key as string).length)
    .cogroup(present.mapValues(String).groupByKey(), (sum, value) => sum * 2 + value.length)
    .aggregate({ store: 'cogrouped', value: double(), initial: () => 1 })
    .toStream()
    .mapValues(String)
    .to(textsOut);
  present.deduplicate({ within: 7, store: 'passed' }).to(numbersOut);
  present.deduplicate({ within: 7, store: 'passed-parities', by: (value) => `${value % 2}` }).to(numbersOut);
  present.difference({ store: 'newest', within: 9, fn: (value, previous) => value - previous }).to(numbersOut);
  present
    .mapValues(String)
    .difference({ store: 'newest-texts', value: string(), fn: (value, previous, key) => `${key}${previous}${value}` })
    .to(textsOut);
  present
    .process<string>({
      name: 'remember',
      stores: [
        keyValueStore('sums', { key: string(), value: double() }),
        windowStore('seen', { key: string(), value: string(), retention: 20 }),
        sessionStore('visits', { key: string(), value: double(), retention: 30 }),
        versionedStore('versions', { key: string(), value: string(), history: 15 }),
      ],
      supplier: () => new Remember(),
      value: string(),
    })
    .to(textsOut);
  return app.build();
}

/** Uses all that a context lends. */
class Remember implements Processor<string, number, string, string> {
  init(context: ProcessContext<string, string>): void {
    context.schedule(15, 'stream', (at) => {
      const sums = [...context.store<string, number>('sums').all()];
      context.forward('all', JSON.stringify(sums), at);
      if (sums.length > 3) context.store<string, number>('sums').delete(sums[0]![0]);
    });
  }

  process(value: number, key: string | null, context: ProcessContext<string, string>): void {
    if (key === null) return;
    const sums = context.store<string, number>('sums');
    const seen = context.windowStore<string, string>('seen');
    sums.put(key, (sums.get(key) ?? 0) + value);
    const start = Math.floor(context.timestamp / 5) * 5;
    seen.put(key, start, `${seen.get(key, start) ?? ''}${value}`);
    if (value === 7) seen.delete(key, start);
    const text = [...seen.fetch(key, start - 10, start + 1)].map(([at, row]) => `${at}=${row}`).join(' ');
    const all = [...seen.window(start)].map(([name]) => name).join('');
    const range = [...sums.range('a', 'c')].length;
    context.forward(key, `${text} ${all} ${range} ${context.streamTime}`);
    this.#versions(value, key, context);
    this.#visits(value, key, context);
  }

  #versions(value: number, key: string, context: ProcessContext<string, string>): void {
    const versions = context.versionedStore<string, string>('versions');
    const at = context.timestamp;
    const answer = value === 5 ? versions.delete(key, at)?.value : versions.put(key, `${value}`, at);
    const [now, before] = [versions.get(key), versions.getAsOf(key, Math.max(0, at - 4))];
    context.forward(key, `${answer} ${now?.value} ${before?.value} ${before?.validTo}`);
  }

  /** Sessions with a gap of 6. */
  #visits(value: number, key: string, context: ProcessContext<string, string>): void {
    const visits = context.sessionStore<string, number>('visits');
    let [start, end, sum] = [context.timestamp, context.timestamp, value];
    for (const visit of [...visits.find(key, start - 6, end + 6)]) {
      start = Math.min(start, visit.start);
      end = Math.max(end, visit.end);
      sum += visit.value;
      visits.delete(key, visit.start, visit.end);
    }
    visits.put(key, start, end, sum);
    context.forward(key, `${start}-${end} ${visits.get(key, start, end)}`);
  }
}

export function testProgram({ plan, code }: Program): TestProgram {
  const { nodes, stores, topics } = plan;
  return { nodes, stores, topics, fn: (ref) => code.fn(ref), serde: (name) => code.serde(name) };
}
