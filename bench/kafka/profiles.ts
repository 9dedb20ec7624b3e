/** How Kafka Streams is set up for a run. */
export interface Profile {
  readonly name: string;
  readonly settings: { readonly [property: string]: string | number };
  readonly flags: readonly string[];
  /** Where windowed counts live. */
  readonly store?: 'memory';
}

const MIB = 1024 * 1024;
const G1 = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC'];

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
  flags: G1,
};

function vary(name: string, settings: Profile['settings'], other: Partial<Profile> = {}): Profile {
  return { ...TUNED, ...other, name: `tuned, ${name}`, settings: { ...TUNED.settings, ...settings } };
}

export const SWEEP: readonly Profile[] = [
  TUNED,
  vary('two threads', { 'num.stream.threads': 2 }),
  vary('batches of 64 KiB, linger 20 ms', { 'producer.batch.size': 65_536, 'producer.linger.ms': 20 }),
  vary('batches of 1 MiB', { 'producer.batch.size': MIB, 'producer.max.request.size': 8 * MIB }),
  vary('fetches of 1 MiB', { 'consumer.max.partition.fetch.bytes': MIB }),
  vary('fetches of 16 MiB', {
    'consumer.max.partition.fetch.bytes': 16 * MIB,
    'consumer.fetch.max.bytes': 64 * MIB,
  }),
  vary('heap of 512 MiB', {}, { flags: ['-Xms512m', '-Xmx512m', '-XX:+UseG1GC'] }),
  vary('parallel collector', {}, { flags: ['-Xms1g', '-Xmx1g', '-XX:+UseParallelGC'] }),
];

/** What only counts have: tried besides for them. */
export const STATE_SWEEP: readonly Profile[] = [
  vary('cache of 10 MiB', { 'statestore.cache.max.bytes': 10 * MIB }),
  vary('cache of 256 MiB', { 'statestore.cache.max.bytes': 256 * MIB }),
];

/** Each update is written, as the engine does it, and none is held back until the commit. */
export const UNCACHED: Profile = vary('no cache', { 'statestore.cache.max.bytes': 0 });

export const IN_MEMORY: Profile = vary('stores in memory', {}, { store: 'memory' });
