import { type Random, randomInt, seededRandom } from '../core/random.ts';
import { int64, json, type Serde, sessionWindowed, string, type Windowed, windowed } from '../schemas/schemas.ts';
import {
  calendar,
  counts,
  cumulative,
  hopping,
  type Merging,
  type Stream,
  session,
  sliding,
  type Table,
  type Topic,
  type Topology,
  topic,
  topology,
  tumbling,
  type Windows,
} from './topology.ts';

/**
 * Random topologies that are right, for property tests of any room: keys are text, values are `{ n }`, every lambda
 * is a pure function. The same seed gives the same topology.
 */
export interface RandomTopology {
  readonly topology: Topology;
  /** Topics that it reads and does not write. */
  readonly inputs: readonly Topic<string, Counted, number>[];
  /** Topics that it writes and does not read, all of them with plain keys. */
  readonly outputs: readonly Topic<string, Counted, number>[];
}

export interface Counted {
  readonly n: number;
}

const value = json<Counted>();
const COUNTS: readonly number[] = [1, 2, 4];
const WINDOW_MS = 60_000;
const HISTORY_MS = 30;

type Settled = Stream<string, Counted, number>;

/**
 * The level is the number of repartitions before it. Only what is of one level meets, so that no stage comes to
 * read what it writes.
 */
interface Any {
  readonly stream: Settled;
  readonly stale: boolean;
  readonly level: number;
}
interface RandomWindows {
  readonly windows: Windows<unknown, unknown, Merging>;
  readonly key: Serde<Windowed<string>>;
}
interface AnyTable {
  readonly table: Table<string, Counted, number>;
  readonly level: number;
}

export function randomTopology(seed: number, steps = 8): RandomTopology {
  return new Grower(seededRandom(seed), seed).grow(steps);
}

class Grower {
  readonly #random: Random;
  readonly #topology: Topology;
  readonly #streams: Any[] = [];
  readonly #tables: AnyTable[] = [];
  readonly #inputs: Topic<string, Counted, number>[] = [];
  readonly #outputs: Topic<string, Counted, number>[] = [];
  #names = 0;

  constructor(random: Random, seed: number) {
    this.#random = random;
    this.#topology = topology(`random-${seed}`);
  }

  grow(steps: number): RandomTopology {
    this.#source();
    for (let step = 0; step < steps; step++) this.#step(this.#pick(this.#streams));
    for (const { stream } of this.#streams.slice(-3)) this.#sink(stream);
    return { topology: this.#topology, inputs: this.#inputs, outputs: this.#outputs };
  }

  #step(from: Any): void {
    const moves: readonly (() => void)[] = [
      () => this.#source(),
      () => this.#simple(from),
      () => this.#simple(from),
      () => this.#rekey(from),
      () => this.#branch(from),
      () => this.#merge(from),
      () => this.#streams.push(this.#settled(from)),
      () => this.#aggregate(from),
      () => this.#windowed(from),
      () => this.#join(from),
      () => this.#joinTables(from),
      () => this.#groupTable(from),
      () => this.#joinStreams(from),
      () => this.#remember(from),
      () => this.#cogroup(from),
      () => this.#suppress(from),
    ];
    this.#pick(moves)();
  }

  #source(): void {
    const stream = this.#topology.stream(this.#input('in', this.#pick(COUNTS)));
    this.#streams.push({ stream, stale: false, level: 0 });
  }

  #simple(from: Any): void {
    const { stream } = from;
    const moves: readonly (() => Settled)[] = [
      () => stream.filter(({ n }) => n % 3 !== 0),
      () => stream.filterNot(({ n }) => n % 5 === 0),
      () => stream.mapValues(({ n }) => ({ n: n + 1 })),
      () => stream.flatMapValues(({ n }) => Array.from({ length: n % 3 }, (_, i) => ({ n: n + i }))),
      () => stream.peek(() => {}),
    ];
    this.#streams.push({ ...from, stream: this.#pick(moves)() });
  }

  #rekey(from: Any): void {
    const { stream } = from;
    const moves: readonly (() => Stream<string, Counted, 'stale'>)[] = [
      () => stream.selectKey(({ n }) => `k${n % 7}`),
      () => stream.map(({ n }, key) => [`${key}.${n % 2}`, { n }]),
      () => stream.flatMap(({ n }, key) => [key, `k${n % 3}`].map((each) => [each, { n }] as const)),
    ];
    this.#keepStale(this.#pick(moves)(), from);
  }

  #branch(from: Any): void {
    const { even, rest } = from.stream.branch({ even: ({ n }) => n % 2 === 0, rest: true });
    this.#streams.push({ ...from, stream: even }, { ...from, stream: rest });
  }

  #merge(from: Any): void {
    const other = this.#pick(this.#streams.filter((each) => each.level === from.level));
    const stale = from.stale || other.stale || from.stream.partitions !== other.stream.partitions;
    this.#streams.push({ stream: from.stream.merge(other.stream), stale, level: from.level });
  }

  #aggregate(from: Any): void {
    const settled = this.#settled(from);
    const grouped = settled.stream.groupByKey();
    const store = this.#name('total');
    const initial = () => ({ n: 0 });
    const table =
      this.#random.next() < 0.5
        ? grouped.reduce({ store, value, add: (sum, { n }) => ({ n: sum.n + n }) })
        : grouped.aggregate({ store, value, initial, add: (sum, { n }) => ({ n: Math.max(sum.n, n) }) });
    // What a deletion looks like matters to its stream alone.
    this.#tables.push({ table: table as unknown as AnyTable['table'], level: settled.level });
    this.#streams.push({ ...settled, stream: table.toStream() });
  }

  #windowed(from: Any): void {
    const settled = this.#settled(from);
    const { windows, key } = this.#windows();
    const store = this.#name('windows');
    const group = settled.stream.groupByKey().window(windows);
    const ways = [
      () =>
        group
          .count({ store })
          .toStream()
          .mapValues((count) => count ?? -1),
      () =>
        group
          .count({ store })
          .suppress()
          .toStream()
          .mapValues((count) => count),
      () =>
        group
          .emitOnClose()
          .count({ store })
          .toStream()
          .mapValues((count) => count),
    ];
    const updates = this.#pick(ways)();
    if (this.#random.next() < 0.5) {
      updates.to(topic(this.#name('windowed-out'), { key, value: int64(), partitions: this.#pick(COUNTS) }));
    } else {
      const named = updates.map((n, { key, start }) => [`${key}@${start}`, { n }]);
      this.#keepStale(named, settled);
    }
  }

  /** Windows of some kind, and the format of their keys. */
  #windows(): RandomWindows {
    const size = WINDOW_MS * (1 + randomInt(this.#random, 3));
    const grace = randomInt(this.#random, 2) * 1000;
    const apart = windowed(string(), size);
    const any = sessionWindowed(string());
    const kinds: readonly (() => RandomWindows)[] = [
      () => ({ windows: tumbling(size, { grace }), key: apart }),
      () => ({ windows: hopping(size, { advance: WINDOW_MS, grace }), key: apart }),
      () => ({ windows: sliding({ difference: size, grace }), key: apart }),
      () => ({ windows: session({ gap: size, grace }), key: any }),
      () => ({ windows: cumulative({ step: WINDOW_MS, max: size, grace }), key: any }),
      () => ({ windows: calendar({ unit: 'day', timeZone: 'Europe/Berlin', grace }), key: any }),
      () => ({ windows: counts({ size: 3, every: 2 }), key: any }),
    ];
    return this.#pick(kinds)();
  }

  #remember(from: Any): void {
    const at = this.#settled(from);
    const { stream } = at;
    const store = this.#name('remembered');
    const within = 1 + randomInt(this.#random, 60);
    const moves: readonly (() => Settled)[] = [
      () => stream.deduplicate({ store, within }),
      () => stream.deduplicate({ store, within, by: ({ n }, key) => `${n % 3}${key}` }),
      () => stream.difference({ store, value, fn: (next, before) => ({ n: next.n - before.n }) }),
      () => stream.difference({ store, value, within, fn: (next, before) => ({ n: next.n - before.n }) }),
    ];
    this.#streams.push({ ...at, stream: this.#pick(moves)() });
  }

  /** Of one stream with itself, in two ways. */
  #cogroup(from: Any): void {
    const at = this.#settled(from);
    const grouped = at.stream.groupByKey();
    const cogrouped = grouped
      .cogroup((sum: Counted, { n }) => ({ n: sum.n + n }))
      .cogroup(at.stream.filter(({ n }) => n % 2 === 0).groupByKey(), (sum, { n }) => ({ n: sum.n - 2 * n }));
    const options = { store: this.#name('cogrouped'), value, initial: () => ({ n: 0 }) };
    this.#streams.push({ ...at, stream: cogrouped.aggregate(options).toStream() });
    const quantiles = grouped.quantiles({ store: this.#name('quantiles'), of: ({ n }) => n });
    const stream = quantiles.toStream().mapValues((all) => ({ n: Math.round(all.at(0.5)) }));
    this.#streams.push({ ...at, stream });
  }

  #suppress(from: Any): void {
    const at = this.#settled(from);
    // rows of its own, since updates of a table with history are not held back
    const kept = { store: this.#name('newest'), value };
    const table = this.#anyTable(at.level, at.stream.partitions).mapValues((row) => row, kept);
    const bounds = this.#random.next() < 0.5 ? {} : { maxRecords: 1 + randomInt(this.#random, 5) };
    const untilTimeLimit = randomInt(this.#random, 100);
    const calm = table.suppress({ untilTimeLimit, store: this.#name('held'), value, ...bounds });
    this.#streams.push({ ...at, stream: present(calm.toStream()) });
  }

  #join(from: Any): void {
    const at = this.#settled(from);
    const { partitions } = at.stream;
    const table = this.#anyTable(at.level, partitions);
    const how = this.#random.next() < 0.5 ? 'inner' : 'left';
    const stream =
      how === 'inner'
        ? at.stream.joinTable(table, { merge: ({ n }, row) => ({ n: n + row.n }) })
        : at.stream.leftJoinTable(table, { merge: ({ n }, row) => ({ n: n - (row?.n ?? 0) }) });
    this.#streams.push({ ...at, stream });
  }

  /** A table at hand, filtered or mapped or joined with another; kept in a store or not. */
  #joinTables(from: Any): void {
    const at = this.#settled(from);
    const { partitions } = at.stream;
    const left = this.#anyTable(at.level, partitions);
    const right = this.#anyTable(at.level, partitions);
    const kept = this.#random.next() < 0.5 ? {} : { store: this.#name('kept'), value };
    const moves: readonly (() => AnyTable['table'])[] = [
      () => left.filter(({ n }) => n % 4 !== 0, kept),
      () => left.mapValues(({ n }) => ({ n: n + 2 }), kept),
      () => left.joinTable(right, { ...kept, merge: (a, b) => ({ n: a.n + b.n }) }),
      () => left.leftJoinTable(right, { ...kept, merge: (a, b) => ({ n: a.n - (b?.n ?? 0) }) }),
      () => left.outerJoinTable(right, { ...kept, merge: (a, b) => ({ n: Math.max(a?.n ?? 0, b?.n ?? 0) }) }),
    ];
    const table = this.#pick(moves)();
    this.#tables.push({ table, level: at.level });
    this.#streams.push({ ...at, stream: present(table.toStream()) });
  }

  #groupTable(from: Any): void {
    const at = this.#settled(from);
    const partitions = this.#pick(COUNTS);
    const by = { name: this.#name('by'), key: string(), value, partitions };
    const grouped = this.#anyTable(at.level, at.stream.partitions).groupBy(
      (row, key) => [`${key}${row.n % 3}`, row],
      by,
    );
    const store = this.#name('grouped');
    const table =
      this.#random.next() < 0.5
        ? grouped.count({ store }).mapValues((n) => ({ n }))
        : grouped.reduce({
            ...{ store, value },
            add: (sum, { n }) => ({ n: sum.n + n }),
            subtract: (sum, { n }) => ({ n: sum.n - n }),
          });
    const level = at.level + 1;
    this.#tables.push({ table, level });
    this.#streams.push({ stream: present(table.toStream()), stale: false, level });
  }

  #anyTable(level: number, partitions: number): AnyTable['table'] {
    const fits = this.#tables.filter((each) => each.level === level && each.table.partitions === partitions);
    return fits.length > 0 ? this.#pick(fits).table : this.#table(level, partitions);
  }

  #joinStreams(from: Any): void {
    const at = this.#settled(from);
    const fits = this.#streams.filter(
      ({ stale, level, stream }) => !stale && level === at.level && stream.partitions === at.stream.partitions,
    );
    const { stream: other } = fits.length > 0 ? this.#pick(fits) : at;
    const within = {
      before: randomInt(this.#random, 50),
      after: randomInt(this.#random, 50),
      grace: randomInt(this.#random, 2) * 20,
    };
    const options = { name: this.#name('pairs'), within, left: value, right: value };
    const n = (a: Counted | null, b: Counted | null) => ({ n: ((a?.n ?? 3) * 2 - (b?.n ?? 5)) % 1000 });
    const moves: readonly (() => Settled)[] = [
      () => at.stream.joinStream(other, { ...options, merge: n }),
      () => at.stream.leftJoinStream(other, { ...options, merge: n }),
      () => at.stream.outerJoinStream(other, { ...options, merge: n }),
    ];
    this.#streams.push({ ...at, stream: this.#pick(moves)() });
  }

  #table(level: number, partitions: number): AnyTable['table'] {
    const input = this.#input('rows', partitions);
    const options = { store: this.#name('table') };
    // the types forget here which tables keep a history
    const table =
      this.#random.next() < 0.5
        ? this.#topology.table(input, options)
        : (this.#topology.table(input, { ...options, history: HISTORY_MS }) as unknown as AnyTable['table']);
    this.#tables.push({ table, level });
    return table;
  }

  /** Through a repartition where the key is stale, and now and then where it is not. */
  #settled(from: Any): Any {
    if (!from.stale && this.#random.next() < 0.7) return from;
    const options = { name: this.#name('again'), key: string(), value, partitions: this.#pick(COUNTS) };
    return { stream: from.stream.repartition(options), stale: false, level: from.level + 1 };
  }

  #sink(stream: Settled): void {
    const out = topic(this.#name('out'), { key: string(), value, partitions: this.#pick(COUNTS) });
    this.#outputs.push(out);
    stream.to(out);
  }

  /** The types forget here what `stale` remembers. */
  #keepStale(stream: Stream<string, Counted, 'stale'>, from: Any): void {
    this.#streams.push({ stream: stream as unknown as Settled, stale: true, level: from.level });
  }

  #input(kind: string, partitions: number): Topic<string, Counted, number> {
    const input = topic(this.#name(kind), { key: string(), value, partitions });
    this.#inputs.push(input);
    return input;
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomInt(this.#random, from.length)]!;
  }

  #name(kind: string): string {
    return `${kind}-${this.#names++}`;
  }
}

/** Deletions end here: what follows takes values only. */
function present(stream: Stream<string, Counted | null, number>): Settled {
  return stream.filter((row): row is Counted => row !== null);
}
