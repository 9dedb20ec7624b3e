import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { buildPrograms } from './kafka/build.ts';
import { killChildren } from './kafka/child.ts';
import { buildPeer } from './kafka/peer.ts';
import { type Compared, KafkaNexmark, PEER_QUERIES } from './nexmark/on-kafka.ts';
import { QUERIES } from './nexmark/queries.ts';
import { median, spread } from './spread.ts';

/**
 * The queries of the Nexmark benchmark, exactly-once: on the engine alone over a file log, then those that the peer has
 * on a real broker beside Kafka Streams, in turns. Each output is held against a plain computation before its figure
 * counts. `--embedded` and `--kafka` are for one of the two; on a machine without Java and Maven the second is left out.
 *
 *     npm run bench:nexmark [-- --events 2000000 --queries q0,q5 --runs 3 --seed 1 --json]
 *     npm run bench:nexmark -- --kafka [--events 10000000]
 */
const options = commandOptions(import.meta.filename, {
  events: { type: 'string' },
  queries: { type: 'string' },
  runs: { type: 'string', default: '3' },
  seed: { type: 'string', default: '1' },
  embedded: { type: 'boolean', default: false },
  kafka: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

interface Measured {
  readonly events: number;
  readonly cpuNsPerEvent: number;
  readonly wallMs: number;
  readonly peakMb: number;
  readonly results: number;
  readonly expected: number;
  readonly equal: boolean;
}

const known = options.kafka && !options.embedded ? PEER_QUERIES : Object.keys(QUERIES);
const queries = options.queries?.split(',') ?? known;
for (const name of queries) {
  if (!known.includes(name)) throw new Error(`there is no query ${name}; there are ${known.join(', ')}`);
}
const peers = queries.filter((name) => PEER_QUERIES.includes(name));
/** Both where neither is asked for. */
const parts = {
  embedded: options.embedded || !options.kafka,
  kafka: options.kafka || (!options.embedded && peers.length > 0),
};
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-nexmark-'));
const script = join(import.meta.dirname, 'nexmark', 'run.ts');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    killChildren();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
}

function run(mode: string, count: string, ...rest: readonly string[]): string {
  return execFileSync(process.execPath, [script, mode, folder, count, options.seed, ...rest], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function tell(name: string, figures: { readonly [name: string]: number }, words: string): void {
  if (options.json) console.log(JSON.stringify({ query: name, ...figures }));
  else console.log(`${name.padEnd(4)} ${QUERIES[name]!.title.padEnd(56)} ${words}`);
}

function measureEmbedded(name: string, count: string): void {
  const runs = Array.from(
    { length: Number(options.runs) },
    () => JSON.parse(run('engine', count, name, '1')) as Measured,
  );
  const wrong = runs.find(({ equal }) => !equal);
  if (wrong !== undefined) {
    throw new Error(
      `${name}: the output is not what the events make: ${wrong.results} lines, ${wrong.expected} expected`,
    );
  }
  const all = runs.map(({ cpuNsPerEvent }) => cpuNsPerEvent);
  const cpuNsPerEvent = median(all);
  const low = Math.min(...all);
  const high = Math.max(...all);
  const peakMb = Math.max(...runs.map((each) => each.peakMb));
  const { events, results } = runs[0]!;
  const words = `${String(cpuNsPerEvent).padStart(6)} ns an event (${low} to ${high})  peak ${peakMb} MB`;
  tell(name, { cpuNsPerEvent, low, high, events, peakMb, results }, words);
}

async function measureOnKafka(nexmark: KafkaNexmark, name: string): Promise<void> {
  const pairs: Compared[] = [];
  for (let n = 0; n < Number(options.runs); n++) pairs.push(await nexmark.pair(name, n % 2 === 0));
  const { ratio, low, high } = spread(pairs.map(({ engineNs, peerNs }) => peerNs / engineNs));
  const engineNs = median(pairs.map((pair) => pair.engineNs));
  const peerNs = median(pairs.map((pair) => pair.peerNs));
  const enginePeakMb = Math.max(...pairs.map((pair) => pair.enginePeakMb));
  const peerPeakMb = Math.max(...pairs.map((pair) => pair.peerPeakMb));
  const words =
    `${engineNs.toFixed(0).padStart(6)} ns an event, Kafka Streams ${peerNs.toFixed(0).padStart(6)} ns: ` +
    `${ratio.toFixed(1)} times (${low.toFixed(1)} to ${high.toFixed(1)})  peak ${enginePeakMb} and ${peerPeakMb} MB`;
  tell(name, { ratio, low, high, engineNs, peerNs, enginePeakMb, peerPeakMb }, words);
}

function embedded(): void {
  const count = options.events ?? '2000000';
  introduce(count, 'runs');
  run('prepare', count);
  for (const name of queries) measureEmbedded(name, count);
  rmSync(join(folder, 'log'), { recursive: true, force: true });
}

async function besideKafkaStreams(): Promise<void> {
  const count = options.events ?? '10000000';
  introduce(count, 'pairs');
  buildPrograms();
  buildPeer();
  const nexmark = await KafkaNexmark.open(folder, Number(count), Number(options.seed));
  try {
    for (const name of peers) await measureOnKafka(nexmark, name);
  } finally {
    await nexmark.close();
  }
}

function introduce(count: string, each: 'runs' | 'pairs'): void {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores`;
  console.error(`Node ${process.version}, ${machine}, ${count} events, seed ${options.seed}, ${options.runs} ${each}`);
}

/** Whether what the peer is built and run with is on the path. */
function hasJava(): boolean {
  return ['java', 'mvn'].every((program) => spawnSync(program, ['-version'], { stdio: 'ignore' }).error === undefined);
}

try {
  if (parts.embedded) embedded();
  if (parts.kafka && (options.kafka || hasJava())) await besideKafkaStreams();
  else if (parts.kafka) console.error('left out: beside Kafka Streams, which takes java and mvn on the path');
} finally {
  killChildren();
  rmSync(folder, { recursive: true, force: true });
}
