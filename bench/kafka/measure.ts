import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Broker } from './broker.ts';
import { builtProgram } from './build.ts';
import { Child, type Told } from './child.ts';
import type { EngineJob } from './engine-main.ts';
import type { NeighbourJob, NeighbourName } from './neighbour-loop.ts';
import { askPeer, startPeer } from './peer.ts';
import { type Moment, momentOf, peakMbOf } from './procfs.ts';
import type { Profile } from './profiles.ts';
import { type Job, KAFKA_ROWS, PARTITIONS } from './rows.ts';

export const COMMIT_INTERVAL_MS = 100;

export type Guarantee = 'at-least-once' | 'exactly-once';

/** A run that takes longer for a record than this stands still. */
const PATIENCE_MS = { run: 120_000, record: 0.2 };

/** What all runs of a series share. */
export interface Series {
  readonly broker: Broker;
  readonly folder: string;
  readonly input: string;
  readonly records: number;
  /** Taken before anything counts. */
  readonly warm: number;
  readonly expected: Expected;
  readonly compression: 'none' | 'lz4';
}

/** Count and digest of what each job must make of the input. */
export type Expected = { readonly [job in Job]: { readonly records: number; readonly digest: string } };

export interface Measured {
  /** Seconds of CPU for a million records, warm. */
  readonly engineCpu: number;
  readonly brokerCpu: number;
  readonly recordsPerSecond: number;
  readonly peakMb: number;
  /** Records in the output topic, for each of the input. */
  readonly written: number;
  /** Epochs committed, where the side counts them. */
  readonly commits: number;
  /** Records taken again after an epoch had failed, for each of the input: 0 on a machine that keeps up. */
  readonly again: number;
  /** What output and internal topics take on the broker's disk, for a million records of input. */
  readonly volumeMb: number;
  /** Share of the machine's CPU that neither engine nor broker had. */
  readonly foreign: number;
}

interface Checked {
  readonly records: number;
  readonly digest: string;
  readonly written: number;
  readonly volumes: { readonly [topic: string]: number };
}

let runs = 0;

/** Places of a run that no other run has. */
export function newPlaces(row: string, side: string): { readonly application: string; readonly out: string } {
  const application = `bench-${row}-${side}-${process.pid}-${++runs}-`;
  return { application, out: `${application}out` };
}

/** How often the engine commits. */
export type CommitPace = Pick<EngineJob, 'commitIntervalMs' | 'sliceRecords'>;

export function startEngine(
  job: StreamsJob,
  { compression }: Pick<Series, 'compression'>,
  guarantee: Guarantee,
  pace: CommitPace = { commitIntervalMs: COMMIT_INTERVAL_MS },
): Child {
  return startProgram('kafka/engine-main', { ...job, compression, guarantee, ...pace });
}

function startProgram(name: 'kafka/engine-main' | 'kafka/neighbour-main', job: EngineJob | NeighbourJob): Child {
  return new Child(process.execPath, [builtProgram(name), JSON.stringify(job)]);
}

export interface StreamsJob {
  readonly brokers: string;
  readonly directory: string;
  readonly row: string;
  readonly application: string;
  readonly in: string;
  readonly out: string;
  readonly records: number;
  readonly warm: number;
}

export function startStreams(job: StreamsJob, profile: Profile, guarantee: Guarantee): Child {
  const { directory, ...places } = job;
  const settings = Object.entries({
    ...profile.settings,
    'commit.interval.ms': COMMIT_INTERVAL_MS,
    'processing.guarantee': guarantee === 'exactly-once' ? 'exactly_once_v2' : 'at_least_once',
  }).map(([name, value]) => [`set.${name}`, value] as const);
  const options = { ...places, state: directory, store: profile.store ?? 'rocksdb', ...Object.fromEntries(settings) };
  return startPeer('run', options, profile.flags);
}

/** Runs the engine over the whole input, and holds its output against what was expected. */
export function measureEngine(series: Series, row: string, guarantee: Guarantee, pace?: CommitPace): Promise<Measured> {
  return measure(series, row, 'engine', (job) => startEngine(job, series, guarantee, pace));
}

/** The same with a loop over a client for Node; only for row `pass`. */
export function measureNeighbour(series: Series, folder: string, client: NeighbourName): Promise<Measured> {
  const { compression } = series;
  return measure(series, 'pass', 'neighbour', (job) => {
    const own = { folder, client, compression, guarantee: 'at-least-once' as const };
    return startProgram('kafka/neighbour-main', { ...job, ...own, commitIntervalMs: COMMIT_INTERVAL_MS });
  });
}

/** The same with Kafka Streams. */
export function measureStreams(series: Series, row: string, profile: Profile, guarantee: Guarantee): Promise<Measured> {
  return measure(series, row, 'streams', (job) => startStreams(job, profile, guarantee));
}

async function measure(
  series: Series,
  row: string,
  side: string,
  start: (job: StreamsJob) => Child,
): Promise<Measured> {
  const { broker, input, records, warm } = series;
  const { brokers } = broker;
  const places = newPlaces(row, side);
  const directory = join(series.folder, places.application);
  await askPeer('topics', { brokers, create: places.out, partitions: PARTITIONS });
  const child = start({ brokers, directory, row, ...places, in: input, records, warm });
  const spare = systemClock.after(PATIENCE_MS.run + records * PATIENCE_MS.record, () => child.kill());
  let from: Reached;
  let to: Reached;
  let peakMb: number;
  let checked: Checked;
  try {
    from = await awaited(child, 'mark', broker);
    to = await awaited(child, 'end', broker);
    peakMb = peakMbOf(child.pid);
    await child.end();
    checked = await check(series, row, places);
  } finally {
    spare();
    child.kill();
    await askPeer('topics', { brokers, delete: places.application });
    rmSync(directory, { recursive: true, force: true });
  }
  // what was taken again, after an epoch had failed, is cost and no work
  const millions = (records - from.records) / 1e6;
  if (millions <= 0) throw new Error(`${side} took all of row ${row} before it was looked at; give more --records`);
  const used = (of: (moment: Moment) => number) => of(to.moment) - of(from.moment);
  const engine = used(({ engine }) => engine);
  const brokerUsed = used(({ broker }) => broker);
  const machine = used(({ machine }) => machine);
  return {
    engineCpu: engine / millions,
    brokerCpu: brokerUsed / millions,
    recordsPerSecond: (millions * 1e9) / used(({ wallMs }) => wallMs),
    peakMb,
    written: checked.written / records,
    commits: to.commits,
    again: Math.max(0, to.records - records) / records,
    volumeMb: Object.values(checked.volumes).reduce((sum, bytes) => sum + bytes, 0) / records,
    foreign: Math.max(0, (machine - engine - brokerUsed) / machine),
  };
}

interface Reached {
  readonly records: number;
  readonly commits: number;
  readonly moment: Moment;
}

async function awaited(child: Child, at: Told['at'], broker: Broker): Promise<Reached> {
  const told = await child.next<Told>();
  const moment = momentOf(child.pid, broker.pid);
  if (told.at !== at) throw new Error(`it said ${told.at} where ${at} was due`);
  return { records: told.records, commits: told.commits ?? 0, moment };
}

async function check(
  { broker, expected }: Series,
  row: string,
  { application, out }: { readonly application: string; readonly out: string },
): Promise<Checked> {
  const { job } = KAFKA_ROWS[row]!;
  const found = await askPeer<Checked>('check', { brokers: broker.brokers, topic: out, row: job, prefix: application });
  const due = expected[job];
  if (found.records !== due.records || found.digest !== due.digest) {
    throw new Error(
      `row ${row}: the output of ${application} is wrong: ${found.records} results with digest ${found.digest}, ` +
        `due are ${due.records} with ${due.digest}`,
    );
  }
  return found;
}
