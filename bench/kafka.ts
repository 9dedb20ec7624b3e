import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../core/clock.ts';
import { type Broker, startBroker } from './kafka/broker.ts';
import { measureLatency } from './kafka/latency.ts';
import {
  COMMIT_INTERVAL_MS,
  type Expected,
  type Guarantee,
  type Measured,
  measureEngine,
  measureNeighbour,
  measureStreams,
  type Series,
  startEngine,
  startStreams,
} from './kafka/measure.ts';
import { askPeer, buildPeer } from './kafka/peer.ts';
import { DEFAULTS, IN_MEMORY, type Profile, STATE_SWEEP, SWEEP, UNCACHED } from './kafka/profiles.ts';
import { inWords, latencyInWords, median, medianOf, type RowResult, titleOf } from './kafka/report.ts';
import { KAFKA_ROWS, PARTITIONS } from './kafka/rows.ts';

/**
 * The engine beside Kafka Streams on one real broker, in pairs within one run, outputs compared. Needs Java 17, Maven,
 * Linux and a quiet machine.
 *
 *     npm run bench:kafka [-- --records 12000000 --pairs 5 --rows pass,forward,filter,count --guarantees exactly-once --json]
 *
 * `--quick` is a look: few records, one pair, no sweep. The engine commits exactly-once in every row; against a peer
 * at-least-once that is the stronger promise.
 */
const { values: options } = parseArgs({
  options: {
    records: { type: 'string' },
    pairs: { type: 'string' },
    rows: { type: 'string', default: Object.keys(KAFKA_ROWS).join(',') },
    guarantees: { type: 'string', default: 'at-least-once,exactly-once' },
    sweep: { type: 'boolean', default: true },
    profile: { type: 'string' },
    latency: { type: 'boolean', default: true },
    neighbour: { type: 'boolean', default: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    compression: { type: 'string', default: 'lz4' },
    brokers: { type: 'string' },
    'broker-pid': { type: 'string' },
    'latency-seconds': { type: 'string', default: '20' },
  },
  allowNegative: true,
});

const records = Number(options.records ?? (options.quick ? 2_000_000 : 12_000_000));
const pairs = Number(options.pairs ?? (options.quick ? 1 : 5));
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-kafka-'));

function say(text: string): void {
  (options.json ? process.stderr : process.stdout).write(text + '\n');
}

function openBroker(): Broker {
  const { brokers, 'broker-pid': pid } = options;
  if (brokers !== undefined && pid !== undefined) return { brokers, pid: Number(pid), stop: () => undefined };
  return startBroker(join(folder, 'broker'));
}

async function loadInput(broker: Broker): Promise<Series> {
  const input = `bids-${process.pid}`;
  const { brokers } = broker;
  await askPeer('topics', { brokers, create: input, partitions: PARTITIONS });
  const base = systemClock.now() - (systemClock.now() % 10_000);
  const loaded = await askPeer<Expected & { readonly valueBytes: number }>('load', {
    brokers,
    topic: input,
    records,
    base,
  });
  say(`${records} records in ${PARTITIONS} partitions, values of ${loaded.valueBytes} bytes on average`);
  const compression = options.compression === 'none' ? 'none' : 'lz4';
  return { broker, folder, input, records, warm: Math.floor(records / 2), expected: loaded, compression };
}

/** Tries settings of the peer, one run each, and answers the one that takes the least CPU. */
async function sweep(series: Series, row: string): Promise<Profile> {
  const { profile: wanted } = options;
  const named = [...SWEEP, ...STATE_SWEEP, UNCACHED].find(({ name }) => name === wanted);
  if (wanted !== undefined && named === undefined) throw new Error(`there is no profile "${wanted}"`);
  if (named !== undefined || !options.sweep || options.quick) return named ?? SWEEP[0]!;
  const all = KAFKA_ROWS[row]!.job === 'count' ? [...SWEEP, ...STATE_SWEEP] : SWEEP;
  let best: { readonly profile: Profile; readonly cpu: number } | undefined;
  say(`${row}: settings of Kafka Streams, exactly-once, one run each`);
  for (const profile of all) {
    const measured = await measureStreams(series, row, profile, 'exactly-once');
    say(inWords(profile.name, measured));
    if (best === undefined || measured.engineCpu < best.cpu) best = { profile, cpu: measured.engineCpu };
  }
  return best!.profile;
}

async function measureRow(series: Series, row: string, guarantee: Guarantee, profile: Profile): Promise<RowResult> {
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let n = 0; n < pairs; n++) {
    const sides = [
      async () => ours.push(await measureEngine(series, row)),
      async () => theirs.push(await measureStreams(series, row, profile, guarantee)),
    ];
    for (const side of n % 2 === 0 ? sides : sides.reverse()) await side();
  }
  const beside: Record<string, Measured> = {};
  const others = KAFKA_ROWS[row]!.job === 'count' ? [DEFAULTS, UNCACHED, IN_MEMORY] : [DEFAULTS];
  for (const other of options.quick ? [] : others) {
    beside[`Kafka Streams, ${other.name}`] = await measureStreams(series, row, other, guarantee);
  }
  const isPlain = row === 'pass' && guarantee === 'at-least-once';
  if (options.neighbour && isPlain) beside['a loop over @platformatic/kafka'] = await measureNeighbour(series);
  const ratios = ours.map((one, i) => theirs[i]!.engineCpu / one.engineCpu);
  const result = {
    row,
    guarantee,
    ratio: median(ratios),
    low: Math.min(...ratios),
    high: Math.max(...ratios),
    pairs,
    profile: profile.name,
    engine: medianOf(ours),
    peer: medianOf(theirs),
    beside,
  };
  return options.latency ? { ...result, latency: await latencies(series, result, profile) } : result;
}

/** Both sides at the same rate: half of what the slower one reached. */
async function latencies(
  series: Series,
  { row, guarantee, engine, peer }: RowResult,
  profile: Profile,
): Promise<NonNullable<RowResult['latency']>> {
  const rate = Math.floor(Math.min(engine.recordsPerSecond, peer.recordsPerSecond) / 2);
  const seconds = options.quick ? 10 : Number(options['latency-seconds']);
  const { compression } = series;
  return {
    engine: await measureLatency(series, row, rate, seconds, (job) =>
      startEngine({ ...job, compression, commitIntervalMs: COMMIT_INTERVAL_MS }),
    ),
    peer: await measureLatency(series, row, rate, seconds, (job) => startStreams(job, profile, guarantee)),
  };
}

function show(result: RowResult): void {
  if (options.json) console.log(JSON.stringify(result));
  say(titleOf(result, KAFKA_ROWS[result.row]!.title));
  say(inWords('engine, exactly-once', result.engine));
  say(inWords(`Kafka Streams, ${result.profile}`, result.peer));
  for (const [name, measured] of Object.entries(result.beside)) say(inWords(name, measured));
  if (result.latency === undefined) return;
  say(latencyInWords('engine', result.latency.engine));
  say(latencyInWords('Kafka Streams', result.latency.peer));
}

let broker: Broker | undefined;
try {
  say(
    `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ` +
      `${records} records of which the second half counts, ${pairs} pairs, a commit each ${COMMIT_INTERVAL_MS} ms`,
  );
  buildPeer();
  broker = openBroker();
  const series = await loadInput(broker);
  for (const row of options.rows.split(',')) {
    const profile = await sweep(series, row);
    for (const guarantee of options.guarantees.split(',') as Guarantee[]) {
      show(await measureRow(series, row, guarantee, profile));
    }
  }
} finally {
  broker?.stop();
  rmSync(folder, { recursive: true, force: true });
}
