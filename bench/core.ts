import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { ROWS } from './rows.ts';
import { median, spread } from './spread.ts';

/**
 * The core benchmark: for each row, engine and naive loop in turn, each in a process of its own over the same file
 * log, output compared. Prints medians, the ratio naive / engine pair by pair, and its spread.
 *
 *     npm run bench:core [-- --runs 5 --records 4000000 --rows a,b --json]
 */
const options = commandOptions(import.meta.filename, {
  runs: { type: 'string', default: '5' },
  records: { type: 'string', default: '4000000' },
  rows: { type: 'string', default: Object.keys(ROWS).join(',') },
  json: { type: 'boolean', default: false },
  strangers: { type: 'boolean', default: true },
});

interface Measured {
  readonly records: number;
  readonly cpuNsPerRecord: number;
  readonly wallMs: number;
  readonly peakMb: number;
  readonly output: { readonly records: number; readonly digest: string };
}

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-'));
const script = join(import.meta.dirname, 'run-row.ts');

function run(mode: string, argument: string): Measured | undefined {
  const text = execFileSync(process.execPath, [script, mode, folder, argument], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text.trim() === '' ? undefined : (JSON.parse(text) as Measured);
}

function say(text: string): void {
  (options.json ? process.stderr : process.stdout).write(text + '\n');
}

function measureRow(name: string): void {
  const row = ROWS[name]!;
  const engine: number[] = [];
  const naive: number[] = [];
  let peakMb = 0;
  for (let n = 0; n < Number(options.runs); n++) {
    const pair =
      n % 2 === 0 ? [run('engine', name)!, run('naive', name)!] : [run('naive', name)!, run('engine', name)!].reverse();
    const [ours, theirs] = pair as [Measured, Measured];
    if (ours.output.digest !== theirs.output.digest || ours.output.records !== theirs.output.records) {
      throw new Error(
        `row ${name}: outputs differ: ${JSON.stringify(ours.output)} against ${JSON.stringify(theirs.output)}`,
      );
    }
    engine.push(ours.cpuNsPerRecord);
    naive.push(theirs.cpuNsPerRecord);
    peakMb = Math.max(peakMb, ours.peakMb);
  }
  const pairs = spread(engine.map((cost, i) => naive[i]! / cost));
  const { ratio, low, high } = pairs;
  const figures = { row: name, cpuNsPerRecord: median(engine), ...pairs };
  if (options.json) console.log(JSON.stringify(figures));
  say(
    `${name}  ${row.title.padEnd(46)} ${median(engine).toFixed(0).padStart(6)} ns  naive ${median(naive).toFixed(0).padStart(5)} ns  ` +
      `ratio ${ratio.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)}), goal ${row.goal}  peak ${peakMb} MB`,
  );
}

function measureStrangers(): void {
  const ratios: number[] = [];
  for (let n = 0; n < Number(options.runs); n++) {
    ratios.push(run('engine-with-strangers', 'b')!.cpuNsPerRecord / run('engine', 'b')!.cpuNsPerRecord);
  }
  const { ratio, low, high } = spread(ratios);
  say(
    `b with ten more topologies in the process: ${((ratio - 1) * 100).toFixed(0)} percent ` +
      `(${((low - 1) * 100).toFixed(0)} to ${((high - 1) * 100).toFixed(0)}), goal at most 10`,
  );
}

try {
  say(
    `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${options.records} records, ${options.runs} pairs`,
  );
  run('prepare', options.records);
  for (const name of options.rows.split(',')) measureRow(name);
  if (options.strangers && options.rows.includes('b')) measureStrangers();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
