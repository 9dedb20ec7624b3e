import { type Random, randomInt, seededRandom } from '../core/random.ts';
import type { ProcessContext, Processor } from '../operators/operators.ts';
import { json, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  calendar,
  cumulative,
  custom,
  hopping,
  keyValueStore,
  type Merging,
  type Program,
  type Stream,
  session,
  sliding,
  type Table,
  type Topic,
  topic,
  topology,
  tumbling,
  type Windows,
  windowStore,
} from '../topology/topology.ts';

/**
 * Random programs for which the law of streams holds: what they have put out at the end depends on their inputs alone,
 * not on how many partitions there are nor on when anything runs. So windows and joins have as much grace as inputs
 * have disorder, every fold gives the same in any order, tables that streams look into are loaded before or are
 * versioned and waited for, and no buffer is bounded.
 */
export interface LawfulProgram {
  readonly program: Program;
  readonly outputs: readonly LawfulOutput[];
  /** What it is made of. */
  readonly pieces: readonly string[];
}

export interface LawfulOutput {
  /** `rows`: the last record of each key counts. `records`: all records count, in any order. */
  readonly counts: 'rows' | 'records';
  readonly topic: Topic<unknown, Counted, number>;
}

export interface Counted {
  readonly n: number;
}

/** How many partitions the inputs have, and what is behind a repartition. */
export interface LawfulCounts {
  readonly sources: number;
  readonly middle: number;
}

/** No record is further behind the newest of all than this. */
export const DISORDER = 12;
/** When the tables that are loaded before were written. */
export const LOADED_AT = 10;
const LONG = 100_000;

const value = json<Counted>();
export const lawfulEvents = (partitions: number) => topic('events', { key: string(), value, partitions });
export const lawfulRows = (partitions: number) => topic('rows', { key: string(), value, partitions });
export const lawfulEverywhere = (partitions: number) => topic('everywhere', { key: string(), value, partitions });
export const lawfulVersions = (partitions: number) => topic('versions', { key: string(), value, partitions });

type Flow = Stream<string, Counted, number>;
type Rows = Table<string, Counted, number>;
type AnyWindows = Windows<Counted, string, Merging>;

const plus = (sum: Counted, { n }: Counted): Counted => ({ n: sum.n + n });
const minus = (sum: Counted, { n }: Counted): Counted => ({ n: sum.n - n });
const spans = sessionWindowed(string());

export function lawfulProgram(seed: number, counts: LawfulCounts, pieces = 4): LawfulProgram {
  return new Lawful(seed, counts).grow(pieces);
}

class Lawful {
  readonly #random: Random;
  readonly #counts: LawfulCounts;
  readonly #app = topology('lawful');
  readonly #events: Flow;
  readonly #rows: Rows;
  readonly #outputs: LawfulOutput[] = [];
  readonly #pieces: string[] = [];
  readonly #hasWatermark: boolean;
  #names = 0;
  /** So that programs of seeds in sequence have windows of every kind. */
  #kind: number;
  readonly #seed: number;

  constructor(seed: number, counts: LawfulCounts) {
    this.#random = seededRandom(seed);
    this.#kind = seed;
    this.#seed = seed;
    this.#counts = counts;
    this.#hasWatermark = this.#oneIn(2);
    const timing = this.#hasWatermark ? { watermark: { maxOutOfOrderness: DISORDER } } : {};
    this.#events = this.#app.stream(lawfulEvents(counts.sources), timing);
    this.#rows = this.#app.table(lawfulRows(counts.sources), { store: 'rows' });
  }

  grow(pieces: number): LawfulProgram {
    const menu: { readonly [name: string]: () => void } = {
      windows: () => this.#windowed(this.#settled()),
      'windows of windows': () => this.#nested(),
      cogroup: () => this.#cogroup(),
      'tables of tables': () => this.#grouped(this.#total(this.#settled())),
      'table join': () => this.#joinTables(),
      'foreign join': () => this.#joinForeign(),
      'stream join': () => this.#joinStreams(),
      'as-of join': () => this.#joinVersions(),
      suppress: () => this.#suppress(),
      deduplicate: () => this.#deduplicate(),
      difference: () => this.#difference(),
    };
    const names = Object.keys(menu);
    for (let i = 0; i < pieces; i++) {
      const name = names.splice(randomInt(this.#random, names.length), 1)[0]!;
      this.#pieces.push(name);
      menu[name]!();
    }
    // of seeds in sequence some have these too
    const more = [() => this.#joinGlobal(), () => this.#own()][this.#seed % 4];
    more?.();
    const parts = { outputs: this.#outputs, pieces: this.#pieces };
    return { program: this.#app.build(), ...parts };
  }

  /** Something of the events, with the keys they came with. */
  #flow(): Flow {
    const flows: readonly (() => Flow)[] = [
      () => this.#events,
      () => this.#events.filter(({ n }) => n % 3 !== 0),
      () => this.#events.mapValues(({ n }) => ({ n: n + 1 })),
      () => this.#events.joinTable(this.#rows, { merge: (event, row) => ({ n: event.n + row.n }) }),
      () => this.#events.leftJoinTable(this.#rows, { merge: ({ n }, row) => ({ n: n - (row?.n ?? 50) }) }),
      () => (this.#hasWatermark ? this.#called(this.#events) : this.#events),
      () => {
        const { even, rest } = this.#events.branch({ even: ({ n }) => n % 2 === 0, rest: true });
        return even.mapValues(({ n }) => ({ n: -n })).merge(rest);
      },
    ];
    return this.#pick(flows)();
  }

  /** Where nothing but its records tells a window the time, they stay in order. */
  #called(from: Flow): Flow {
    const order = this.#hasWatermark ? this.#pick(['key', 'partition', 'none'] as const) : 'partition';
    const calls = { name: this.#name('calls'), concurrency: 1 + randomInt(this.#random, 4), order };
    this.#pieces.push(`calls in order of ${order}`);
    if (this.#oneIn(2)) {
      return from.mapAsync({ ...calls, value, fn: ({ n }) => (n % 4 === 0 ? { n } : later({ n: n * 2 }, n % 3)) });
    }
    return from.leftLookup({
      ...calls,
      cache: { maxEntries: 2, ttl: 10 },
      fn: (key) => later(key === 'k1' ? null : { n: key.length }, 1),
      merge: ({ n }, row) => ({ n: n * 3 + (row?.n ?? 0) }),
    });
  }

  /** The same under other keys, behind a repartition. */
  #settled(): Flow {
    const from = this.#flow();
    const keyed: readonly (() => Stream<string, Counted, 'stale'>)[] = [
      () => from.selectKey(({ n }) => `s${n % 7}`),
      () => from.map(({ n }, key) => [`${key}.${n % 2}`, { n }]),
      () => from.flatMap(({ n }, key) => [key, `f${n % 3}`].map((each) => [each, { n }] as const)),
    ];
    return this.#repartition(this.#pick(keyed)());
  }

  #repartition(from: Stream<string, Counted, 'stale'>): Flow {
    const options = { name: this.#name('again'), key: string(), value, partitions: this.#counts.middle };
    return from.repartition(options) as Flow;
  }

  #windowed(from: Flow): void {
    const [windows, key] = this.#windows();
    const group = from.groupByKey().window(windows);
    const store = this.#name('windows');
    const moves: readonly (() => void)[] = [
      () => this.#out('rows', key, group.reduce({ store, value, add: plus }).toStream()),
      () => this.#out('records', key, group.reduce({ store, value, add: plus }).suppress().toStream()),
      () => this.#out('records', key, group.emitOnClose().reduce({ store, value, add: plus }).toStream()),
    ];
    this.#pick(moves)();
  }

  #windows(): readonly [AnyWindows, Serde<Windowed<string>>] {
    const size = 6 + randomInt(this.#random, 20);
    const grace = DISORDER + randomInt(this.#random, 9);
    const kinds: { readonly [name: string]: () => readonly [AnyWindows, Serde<Windowed<string>>] } = {
      tumbling: () => [tumbling(size, { grace }), windowed(string(), size)],
      hopping: () => [hopping(size, { advance: 5, grace }), windowed(string(), size)],
      sliding: () => [sliding({ difference: size, grace }), windowed(string(), size)],
      session: () => [session({ gap: 4, grace }), spans],
      'session by record': () => [
        session<Counted, string>({ gap: (row) => 2 + (Math.abs(row?.n ?? 0) % 5), grace }),
        spans,
      ],
      cumulative: () => [cumulative({ step: 5, max: 20, grace }), spans],
      calendar: () => [calendar({ unit: 'day', timeZone: 'Europe/Berlin', grace }), spans],
      custom: () => [
        custom<Counted, string>({
          name: this.#name('own'),
          assign: (time, { n }) => ({ start: time, end: time + 1 + (Math.abs(n) % 6) }),
          merge: (a, b) =>
            a.start < b.end && b.start < a.end
              ? { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) }
              : undefined,
          grace,
        }),
        spans,
      ],
    };
    const names = Object.keys(kinds);
    const name = names[this.#kind++ % names.length]!;
    this.#pieces.push(`${name} windows`);
    return kinds[name]!();
  }

  /** Final results, under other keys in windows again. */
  #nested(): void {
    const size = 5 + randomInt(this.#random, 10);
    const group = this.#settled()
      .groupByKey()
      .window(tumbling(size, { grace: DISORDER }));
    const store = this.#name('inner');
    const closed = this.#oneIn(2)
      ? group.reduce({ store, value, add: plus }).suppress().toStream()
      : group.emitOnClose().reduce({ store, value, add: plus }).toStream();
    this.#windowed(this.#repartition(closed.map(({ n }, { key }) => [key.slice(0, 2), { n }])));
  }

  #cogroup(): void {
    const group = this.#settled().groupByKey();
    const other = this.#settled().groupByKey();
    const both = group.cogroup(plus).cogroup(other, (row: Counted, { n }: Counted) => ({ n: row.n - 2 * n }));
    const options = { store: this.#name('cogrouped'), value, initial: (): Counted => ({ n: 0 }) };
    if (this.#oneIn(2)) {
      this.#out('rows', string(), both.aggregate(options).toStream());
      return;
    }
    const windows = both.window(tumbling(15, { grace: DISORDER })).aggregate(options);
    this.#out('records', windowed(string(), 15), windows.suppress().toStream());
  }

  /** By `reduce`: the first row of an aggregate replaces the initial value, which no join behind it ever put out. */
  #total(from: Flow): Rows {
    return from.groupByKey().reduce({ store: this.#name('total'), value, add: plus }) as unknown as Rows;
  }

  #grouped(table: Rows): void {
    const by = { name: this.#name('by'), key: string(), value, partitions: this.#counts.middle };
    const grouped = table.groupBy((row, key) => [`${key.slice(0, 1)}${row.n % 3}`, row], by);
    const store = this.#name('grouped');
    const again = grouped.reduce({ store, value, add: plus, subtract: minus });
    this.#out('rows', string(), again.toStream());
  }

  #joinTables(): void {
    const left = this.#total(this.#settled());
    const right = this.#total(this.#settled()).filter(({ n }) => n % 4 !== 0);
    const kept = this.#oneIn(2) ? {} : { store: this.#name('kept'), value };
    const moves: readonly (() => Rows)[] = [
      () => left.joinTable(right, { ...kept, merge: (a, b) => ({ n: a.n * 2 + b.n }) }),
      () => left.leftJoinTable(right, { ...kept, merge: (a, b) => ({ n: a.n - (b?.n ?? 7) }) }),
      () => left.outerJoinTable(right, { ...kept, merge: (a, b) => ({ n: (a?.n ?? 5) - (b?.n ?? 7) }) }),
    ];
    const joined = this.#pick(moves)();
    if (this.#oneIn(2)) this.#grouped(joined);
    else this.#out('rows', string(), joined.toStream());
  }

  #joinForeign(): void {
    const left = this.#total(this.#settled());
    const right = this.#oneIn(2) ? this.#rows : this.#total(this.#events);
    const options = { name: this.#name('foreign'), foreignKey: ({ n }: Counted) => (n % 6 === 0 ? null : `k${n % 5}`) };
    const inner = this.#oneIn(2);
    const joined = inner
      ? left.joinForeign(right, { ...options, merge: (a, b) => ({ n: a.n * 2 + b.n }) })
      : left.leftJoinForeign(right, { ...options, merge: (a, b) => ({ n: a.n * 2 + (b?.n ?? 1000) }) });
    this.#pieces.push(inner ? 'inner foreign join' : 'left foreign join');
    this.#out('rows', string(), joined.toStream());
  }

  #joinGlobal(): void {
    this.#pieces.push('global join');
    const table = this.#app.globalTable(lawfulEverywhere(this.#counts.sources), { store: 'everywhere' });
    const key = ({ n }: Counted) => (n % 5 === 0 ? null : `k${n % 8}`);
    const from = this.#settled();
    const joined = this.#oneIn(2)
      ? from.joinGlobal(table, { key, merge: ({ n }, row) => ({ n: n * 100 + row.n }) })
      : from.leftJoinGlobal(table, { key, merge: ({ n }, row) => ({ n: n * 100 + (row?.n ?? 99) }) });
    this.#out('records', string(), joined);
  }

  /** Records of one key come in their order, however many partitions there are. */
  #own(): void {
    this.#pieces.push('own operator');
    const stores = [
      keyValueStore('own-sums', { key: string(), value }),
      windowStore('own-times', { key: string(), value, retention: LONG }),
    ];
    const supplier = () => new Remember();
    const out = this.#events.processValues<Counted>({ name: 'own', stores, supplier, value });
    this.#out('records', string(), out);
  }

  #joinStreams(): void {
    const [left, right] = [this.#settled(), this.#settled()];
    // no record is out of its window when it comes, or it would be alone at once
    const within = { before: DISORDER + 2, after: DISORDER + randomInt(this.#random, 9), grace: DISORDER };
    const options = { name: this.#name('pairs'), within, left: value, right: value };
    const merge = (a: Counted | null, b: Counted | null) => ({ n: (a?.n ?? 5000) * 100 + (b?.n ?? 7000) });
    const moves: readonly (() => Stream<string, Counted, number>)[] = [
      () => left.joinStream(right, { ...options, merge }),
      () => left.leftJoinStream(right, { ...options, merge }),
      () => left.outerJoinStream(right, { ...options, merge }),
    ];
    const pairs = this.#pick(moves)();
    this.#out('records', string(), pairs);
  }

  #joinVersions(): void {
    const versions = this.#app.table(lawfulVersions(this.#counts.sources), { store: 'versions', history: LONG });
    const options = { name: this.#name('as-of'), grace: DISORDER, value };
    const joined = this.#oneIn(2)
      ? this.#events.joinTable(versions, { ...options, merge: ({ n }, row) => ({ n: n * 100 + row.n }) })
      : this.#events.leftJoinTable(versions, { ...options, merge: ({ n }, row) => ({ n: n * 100 + (row?.n ?? 99) }) });
    this.#out('records', string(), joined);
  }

  #suppress(): void {
    const table = this.#total(this.#settled());
    const calm = table.suppress({ untilTimeLimit: randomInt(this.#random, 40), store: this.#name('held'), value });
    this.#out('rows', string(), calm.toStream());
  }

  #deduplicate(): void {
    const options = { store: this.#name('passed'), within: DISORDER + randomInt(this.#random, 30) };
    const by = this.#oneIn(2) ? {} : { by: ({ n }: Counted) => `${n % 2}` };
    this.#out('records', string(), this.#events.deduplicate({ ...options, ...by }));
  }

  #difference(): void {
    const fn = (next: Counted, before: Counted) => ({ n: next.n - before.n });
    this.#out('records', string(), this.#events.difference({ store: this.#name('newest'), value, fn }));
  }

  #out<K>(
    counts: LawfulOutput['counts'],
    key: Serde<K>,
    stream: Stream<K, Counted, number> | Stream<K, Counted | null, number>,
  ): void {
    const out = topic(this.#name('out'), { key, value, partitions: this.#counts.middle });
    (stream as Stream<K, Counted, number>).to(out);
    this.#outputs.push({ counts, topic: out as unknown as LawfulOutput['topic'] });
  }

  #oneIn(times: number): boolean {
    return randomInt(this.#random, times) === 0;
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomInt(this.#random, from.length)]!;
  }

  #name(kind: string): string {
    return `${kind}-${this.#names++}`;
  }
}

/** Sums the records of a key, and those that lie near before it. */
class Remember implements Processor<string, Counted, string, Counted> {
  process({ n }: Counted, key: string, context: ProcessContext<string, Counted>): void {
    const sums = context.store<string, Counted>('own-sums');
    const times = context.windowStore<string, Counted>('own-times');
    const sum = (sums.get(key)?.n ?? 0) + n;
    sums.put(key, { n: sum });
    times.put(key, context.timestamp, { n });
    let near = 0;
    for (const [, row] of times.fetch(key, Math.max(0, context.timestamp - 20), context.timestamp)) near += row.n;
    context.forward(key, { n: sum * 1000 + near });
  }
}

/** After some turns: which calls end first is another matter than which began first. */
async function later<T>(result: T, turns: number): Promise<T> {
  for (let turn = 0; turn <= Math.abs(turns); turn++) await Promise.resolve();
  return result;
}
