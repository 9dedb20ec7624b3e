/** How Kafka Streams is set up for a run. */
export interface Profile {
  readonly name: string;
  readonly settings: { readonly [property: string]: string | number };
  readonly flags: readonly string[];
  /** Where windowed counts live. */
  readonly store?: 'memory';
}

const MIB = 1024 * 1024;

function heap(megabytes: number, collector = 'G1'): readonly string[] {
  return [`-Xms${megabytes}m`, `-Xmx${megabytes}m`, `-XX:+Use${collector}GC`];
}

/** As it comes. */
export const DEFAULTS: Profile = { name: 'defaults', settings: {}, flags: [] };

/** Everything raised that is known to help throughput; the sweep varies one thing at a time. */
const TUNED: Profile = {
  name: 'tuned',
  settings: {
    'num.stream.threads': 1,
    'statestore.cache.max.bytes': 128 * MIB,
    'producer.compression.type': 'lz4',
    'producer.batch.size': 256 * 1024,
    'producer.linger.ms': 100,
    'producer.buffer.memory': 128 * MIB,
    'consumer.max.poll.records': 10_000,
    'consumer.max.partition.fetch.bytes': 4 * MIB,
    'buffered.records.per.partition': 20_000,
    'topology.optimization': 'all',
  },
  flags: heap(1024),
};

/** Each update is written, as the engine does it, and none is held back in a cache until the commit. */
const UNCACHED: Profile = {
  ...TUNED,
  name: 'tuned, no cache',
  settings: { ...TUNED.settings, 'statestore.cache.max.bytes': 0 },
};

function vary(base: Profile, name: string, settings: Profile['settings'], other: Partial<Profile> = {}): Profile {
  return { ...base, ...other, name: `${base.name}, ${name}`, settings: { ...base.settings, ...settings } };
}

function variants(base: Profile): readonly Profile[] {
  return [
    base,
    vary(base, 'two threads', { 'num.stream.threads': 2 }),
    vary(base, 'batches of 64 KiB, linger 20 ms', { 'producer.batch.size': 65_536, 'producer.linger.ms': 20 }),
    vary(base, 'batches of 1 MiB', { 'producer.batch.size': MIB, 'producer.max.request.size': 8 * MIB }),
    vary(base, 'fetches of 1 MiB', { 'consumer.max.partition.fetch.bytes': MIB }),
    vary(base, 'fetches of 16 MiB', {
      'consumer.max.partition.fetch.bytes': 16 * MIB,
      'consumer.fetch.max.bytes': 64 * MIB,
    }),
    vary(base, 'parallel collector', {}, { flags: heap(1024, 'Parallel') }),
  ];
}

/** What is tried for jobs without state, and for counts that write as many updates as the engine. */
export const SWEEP: readonly Profile[] = variants(TUNED);
/** Its runs are the longest, and how it fetches is nothing beside its store. */
export const COUNT_SWEEP: readonly Profile[] = variants(UNCACHED).filter(({ name }) => !name.includes('fetches'));

/** Counts that write fewer updates, or keep no store on disk: beside the row, not in it. */
export const CACHED: readonly Profile[] = [
  TUNED,
  vary(TUNED, 'cache of 10 MiB', { 'statestore.cache.max.bytes': 10 * MIB }),
  vary(TUNED, 'cache of 256 MiB', { 'statestore.cache.max.bytes': 256 * MIB }),
  vary(TUNED, 'stores in memory', {}, { store: 'memory' }),
];

/** Heaps that are tried, the largest first: memory is compared at the smallest that costs no speed. */
export const HEAPS_MB: readonly number[] = [512, 256, 128];

/** The same with another heap. */
export function withHeap(profile: Profile, megabytes: number): Profile {
  const collector = /Use(\w+)GC/.exec(profile.flags.join(' '))?.[1] ?? 'G1';
  return { ...profile, name: `${profile.name}, heap of ${megabytes} MiB`, flags: heap(megabytes, collector) };
}
