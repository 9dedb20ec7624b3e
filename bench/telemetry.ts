import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { createFileLog } from '../log/file/file.ts';
import type { Log } from '../log/log.ts';
import { fuse, type Push, Rec } from '../operators/operators.ts';
import { NodeCounts } from '../runtime/node-counts.ts';
import { DEFAULT_SETTINGS, resetApplication, startRun } from '../runtime/runtime.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { ROWS } from './rows.ts';

/**
 * What telemetry costs: row b with everything switched on and read out once a run against row b without any. All runs
 * are in one process over one log, in the order on, off, off, on, so that warm code, disk caches and slow drifts of the
 * machine weigh on both alike; two runs of each make a round, and the median over the rounds counts, with the interval
 * that holds it with 95 percent. Goal: at most 3 percent.
 *
 * On a busy machine that interval is wide. So the work that telemetry adds is also measured apart, by the least of many
 * short slices, which neighbours do not reach: the push that counts records behind a node, as if every record went
 * through it and nothing else hid its latency, and reading all metrics out once a second. What a commit adds is less
 * than a microsecond. Their sum stands against the least cost of a run without telemetry.
 *
 *     npm run bench:telemetry [-- --rounds 21 --records 1000000 --row b --json]
 */
const options = commandOptions(import.meta.filename, {
  rounds: { type: 'string', default: '21' },
  records: { type: 'string', default: '1000000' },
  row: { type: 'string', default: 'b' },
  json: { type: 'boolean', default: false },
});
const WARM_UP_ROUNDS = 2;
const SLICES = 400;
const SLICE_RECORDS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-'));

/** Of the last run with telemetry: its metrics are still there. */
let last: Telemetry | undefined;

/** Nanoseconds of CPU per record of one run, all threads. */
async function cost(log: Log, on: boolean): Promise<number> {
  const program = ROWS[options.row]!.program();
  const directory = `${folder}/state`;
  if ((await log.admin.describe('out')) !== undefined) await log.admin.delete('out');
  await resetApplication({ plan: program.plan, log, directory, outputs: true });
  const telemetry: Telemetry = on
    ? createTelemetry({ level: 'info', form: 'json', sink: { write: () => undefined } })
    : createTelemetry({ level: 'silent', metrics: false });
  const state = createStateBackend({});
  const settings = { ...DEFAULT_SETTINGS, until: 'end' as const };
  const before = process.cpuUsage();
  const run = await startRun({ program, log, state, directory, clock: systemClock, telemetry, settings });
  const { records } = await run.finished;
  if (on) {
    telemetry.exposition();
    last = telemetry;
  }
  const { user, system } = process.cpuUsage(before);
  await state.close();
  return ((user + system) * 1000) / records;
}

/** The least time of one call among many, in nanoseconds. */
function leastNs(calls: number, ...works: readonly (() => void)[]): number[] {
  const least = works.map(() => Number.POSITIVE_INFINITY);
  for (let slice = 0; slice < calls; slice++) {
    works.forEach((work, i) => {
      const start = process.hrtime.bigint();
      work();
      least[i] = Math.min(least[i]!, Number(process.hrtime.bigint() - start));
    });
  }
  return least;
}

/** What the counting push behind the row's first node adds to a record that goes through it. */
function pushNs(): number {
  const { nodes } = ROWS[options.row]!.program().plan;
  const counts = new NodeCounts(nodes, fuse(nodes));
  const node = nodes.find(({ kind }) => kind === 'filter') ?? nodes[0]!;
  let sum = 0;
  const plain: Push = (record) => {
    sum += record.position;
  };
  const counting = counts.wrap(node, 0, plain);
  const record = new Rec();
  const drive = (push: Push) => () => {
    for (let i = 0; i < SLICE_RECORDS; i++) {
      record.position = i;
      push(record);
    }
  };
  const [without, with_] = leastNs(SLICES, drive(plain), drive(counting));
  if (sum === 0) throw new Error('nothing was pushed');
  return (with_! - without!) / SLICE_RECORDS;
}

/** The value at this part of the way through the sorted ones. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.max(0, (sorted.length - 1) * part));
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

try {
  const script = join(import.meta.dirname, 'run-row.ts');
  execFileSync(process.execPath, [script, 'prepare', folder, options.records], { stdio: 'ignore' });
  const log = await createFileLog({ directory: `${folder}/log`, clock: systemClock });
  const percents: number[] = [];
  const on: number[] = [];
  const off: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < Number(options.rounds); round++) {
    const first = round % 2 === 0;
    const a = await cost(log, first);
    const b = await cost(log, !first);
    const c = await cost(log, !first);
    const d = await cost(log, first);
    if (round < 0) continue;
    const [with_, without] = first ? [a + d, b + c] : [b + c, a + d];
    on.push(with_ / 2);
    off.push(without / 2);
    percents.push((with_ / without - 1) * 100);
  }
  await log.close();
  // ranks around the median that hold it with 95 percent, whatever the distribution
  const reach = 0.98 / Math.sqrt(percents.length);
  const unmeasured = quantile(off, 0.5);
  const addedNs = pushNs();
  const expositionNs = leastNs(SLICES, () => last!.exposition())[0]!;
  const figures = {
    row: options.row,
    measuredNsPerRecord: Math.round(quantile(on, 0.5)),
    unmeasuredNsPerRecord: Math.round(unmeasured),
    percent: quantile(percents, 0.5),
    low: quantile(percents, 0.5 - reach),
    high: quantile(percents, 0.5 + reach),
    pushNs: addedNs,
    expositionUs: expositionNs / 1000,
    apartPercent: (addedNs / Math.min(...off) + expositionNs / 1e9) * 100,
  };
  const text =
    `row ${figures.row}: ${figures.measuredNsPerRecord} ns a record with telemetry, ${figures.unmeasuredNsPerRecord} ns without; ` +
    `${figures.percent.toFixed(1)} percent (95 percent between ${figures.low.toFixed(1)} and ${figures.high.toFixed(1)}), goal at most 3\n` +
    `measured apart: ${figures.pushNs.toFixed(2)} ns a record, ${figures.expositionUs.toFixed(0)} us a second: ${figures.apartPercent.toFixed(1)} percent`;
  console.log(options.json ? JSON.stringify(figures) : text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
