import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { type Broker, startBroker } from './kafka/broker.ts';
import { buildPrograms } from './kafka/build.ts';
import { killChildren } from './kafka/child.ts';
import { besideSeconds, type Group, type GroupOptions, GroupRun, groupsOf, roundSeconds } from './kafka/group.ts';
import { COMMIT_INTERVAL_MS, type Expected, type Guarantee, type Series } from './kafka/measure.ts';
import { installNeighbours } from './kafka/neighbours.ts';
import { PACE } from './kafka/pace.ts';
import { askPeer, buildPeer } from './kafka/peer.ts';
import { Progress } from './kafka/progress.ts';
import { linesOf, type Result } from './kafka/report.ts';
import { KAFKA_ROWS, PARTITIONS, type RowName } from './kafka/rows.ts';
import { Saved } from './kafka/saved.ts';
import { type Choice, defaultChoice, sweep, sweepRuns } from './kafka/sweep.ts';

/**
 * The engine beside Kafka Streams on one real broker, in pairs within one run, each guarantee against the same, outputs
 * compared. Needs Java 17, Maven, Linux and a quiet machine.
 *
 *     npm run bench:kafka [-- --budget-minutes 45 --records 10000000 --rows pass,forward,filter,count
 *         --guarantees at-least-once,exactly-once --pairs 5 --save results.jsonl --json]
 *
 * Without `--pairs` it takes as many as the budget allows, five at most. `--save` keeps every result in a file, and
 * leaves out what stands there already, so that a series can be made in parts or go on after it was cut short.
 * `--quick` is a look: few records, one pair, no sweep, no latencies. Progress goes to standard error.
 */
const options = commandOptions(import.meta.filename, {
  records: { type: 'string' },
  'small-records': { type: 'string' },
  pairs: { type: 'string' },
  'budget-minutes': { type: 'string', default: '45' },
  rows: { type: 'string', default: Object.keys(KAFKA_ROWS).join(',') },
  guarantees: { type: 'string', default: 'at-least-once,exactly-once' },
  sweep: { type: 'boolean' },
  latency: { type: 'boolean' },
  beside: { type: 'boolean' },
  neighbours: { type: 'boolean' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  save: { type: 'string' },
  compression: { type: 'string', default: 'lz4' },
  'latency-seconds': { type: 'string', default: '8' },
});

/** Without two there is no spread. */
const PAIRS = { least: 2, most: 5 };
const whole = !options.quick;
const records = Number(options.records ?? (whole ? 10_000_000 : 1_000_000));
/** What sweeps, and what stands beside the rows, are measured with. */
const smallRecords = Math.min(records, Number(options['small-records'] ?? (whole ? 1_500_000 : 600_000)));
const rows = options.rows.split(',').map((row) => {
  if (KAFKA_ROWS[row] === undefined) throw new Error(`there is no row ${row}`);
  return row as RowName;
});
const guarantees = options.guarantees.split(',') as Guarantee[];
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-kafka-'));
const saved = new Saved(options.save);
let broker: Broker | undefined;

function cleanUp(): void {
  killChildren();
  broker?.stop();
  broker = undefined;
  rmSync(folder, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    cleanUp();
    process.exit(130);
  });
}

function show(result: Result): void {
  if (options.json) console.log(JSON.stringify(result));
  const lines = linesOf(result, (row) => KAFKA_ROWS[row]!.title).join('\n');
  (options.json ? process.stderr : process.stdout).write(`${lines}\n`);
}

async function loadInput(of: Broker, name: string, count: number): Promise<Series> {
  const input = `bids-${name}-${process.pid}`;
  const { brokers } = of;
  await askPeer('topics', { brokers, create: input, partitions: PARTITIONS });
  const base = systemClock.now() - (systemClock.now() % 10_000);
  const expected = await askPeer<Expected>('load', { brokers, topic: input, records: count, base });
  const compression = options.compression === 'none' ? 'none' : 'lz4';
  return { broker: of, folder, input, records: count, warm: Math.floor(count / 2), expected, compression };
}

/** Every row of a group has been measured already: its results are told again. */
function tellSaved(group: Group): boolean {
  const found = group.rows.map((row) => saved.of(row, guarantees));
  if (found.some((results) => results.length === 0)) return false;
  for (const result of found.flat()) show(result);
  return true;
}

/** Seconds of a series but for its pairs, as estimated. */
function restOf(groups: readonly Group[], others: Omit<GroupOptions, 'pairs'>): number {
  return groups.reduce((sum, group) => sum + besideSeconds(group, others, { full: records, small: smallRecords }), 0);
}

const roundOf = (groups: readonly Group[]) => groups.reduce((sum, group) => sum + roundSeconds(group, records), 0);

/** Pairs for which there is time in so many seconds. */
function pairsIn(seconds: number, groups: readonly Group[], rest: number): number {
  if (options.pairs !== undefined) return Number(options.pairs);
  if (!whole) return 1;
  const fitting = Math.floor((seconds - rest) / roundOf(groups));
  return Math.min(PAIRS.most, Math.max(PAIRS.least, fitting));
}

async function choose(small: Series, row: string, sweeps: boolean, progress: Progress): Promise<Choice> {
  const known = saved.choice(row);
  if (known !== undefined || !sweeps) return known ?? defaultChoice(row);
  const seconds = sweepRuns(row) * PACE.peer(row, smallRecords);
  const work = () => sweep(small, row, (text) => progress.say(text));
  const choice = await progress.step(`${row}: sweep`, seconds, work);
  saved.add({ row: 'sweep', of: row, choice });
  return choice;
}

async function measureAll(): Promise<void> {
  const sweeps = options.sweep ?? whole;
  const beside = options.beside ?? whole;
  const groups = groupsOf(rows, guarantees).filter((group) => !tellSaved(group));
  if (groups.length === 0) return;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const wantsNeighbours = (options.neighbours ?? beside) && groups.some((group) => group.rows.includes('pass'));
  const neighbours = wantsNeighbours ? installNeighbours(say) : undefined;
  for (const { name, reason } of neighbours?.leftOut ?? []) say(`left out: a loop over ${name}: ${reason}`);
  const latencySeconds = (options.latency ?? whole) ? Number(options['latency-seconds']) : 0;
  const others = { beside, neighbours, latencySeconds, warmSeconds: 6 };
  const budget = Number(options['budget-minutes']) * 60;
  const rest = restOf(groups, others);
  const unswept = sweeps ? groups.filter(({ rows: [row] }) => saved.choice(row!) === undefined) : [];
  const first = unswept.reduce((sum, { rows: [row] }) => sum + sweepRuns(row!) * PACE.peer(row!, smallRecords), 0);
  const loads = PACE.load(records) + PACE.load(smallRecords);
  const guess = pairsIn(budget - loads - first, groups, rest);
  const seconds = loads + first + rest + guess * roundOf(groups);
  say(
    `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores; ` +
      `${records} records of which the second half counts, a commit each ${COMMIT_INTERVAL_MS} ms; ` +
      `about ${Math.ceil(seconds / 60)} minutes with ${guess} pairs on two quiet cores`,
  );
  buildPrograms();
  buildPeer();
  broker = startBroker(folder);
  const progress = new Progress(seconds);
  const load = (name: string, count: number) =>
    progress.step(`loading ${count} records`, PACE.load(count), () => loadInput(broker!, name, count));
  const full = await load('full', records);
  const small = smallRecords === records ? full : await load('small', smallRecords);
  const choices = new Map<string, Choice>();
  for (const {
    rows: [row],
  } of groups)
    choices.set(row!, await choose(small, row!, sweeps, progress));
  // how fast this machine is, is known by now
  const { pace, elapsed } = progress;
  const pairs = pairsIn((budget - elapsed) / pace, groups, rest);
  progress.expect(rest + pairs * roundOf(groups));
  progress.say(`${pairs} pairs of each row`);
  for (const group of groups) {
    const choice = choices.get(group.rows[0]!)!;
    try {
      await new GroupRun(full, small, group, choice, { ...others, pairs }, progress).run((result) => {
        saved.add(result);
        show(result);
      });
    } catch (thrown) {
      process.exitCode = 1;
      progress.say(`${group.rows.join(' and ')} failed: ${messageOf(thrown)}`);
    }
  }
}

try {
  await measureAll();
} finally {
  cleanUp();
}
