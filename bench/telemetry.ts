import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * What telemetry costs: row b with everything switched on and read every second against row b without any, in pairs,
 * each run in a process of its own. Prints the medians of both and of the ratio, pair by pair; goal: at most 3 percent.
 *
 *     npm run bench:telemetry [-- --pairs 11 --records 2000000 --row b --json]
 */
const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '11' },
    records: { type: 'string', default: '2000000' },
    row: { type: 'string', default: 'b' },
    json: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-'));
const script = join(import.meta.dirname, 'run-row.ts');

function run(mode: string, argument: string): string {
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  return execFileSync(process.execPath, [script, mode, folder, argument], { encoding: 'utf8', stdio });
}

function cost(mode: string): number {
  return (JSON.parse(run(mode, options.row)) as { readonly cpuNsPerRecord: number }).cpuNsPerRecord;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

try {
  run('prepare', options.records);
  const measured: number[] = [];
  const unmeasured: number[] = [];
  for (let n = 0; n < Number(options.pairs); n++) {
    if (n % 2 === 0) measured.push(cost('engine-measured'));
    unmeasured.push(cost('engine-unmeasured'));
    if (n % 2 === 1) measured.push(cost('engine-measured'));
  }
  const percents = measured.map((on, i) => (on / unmeasured[i]! - 1) * 100);
  const figures = {
    row: options.row,
    measuredNsPerRecord: quantile(measured, 0.5),
    unmeasuredNsPerRecord: quantile(unmeasured, 0.5),
    percent: quantile(percents, 0.5),
    low: quantile(percents, 0.25),
    high: quantile(percents, 0.75),
  };
  const text =
    `row ${options.row}: ${figures.measuredNsPerRecord} ns a record with telemetry, ${figures.unmeasuredNsPerRecord} ns without; ` +
    `${figures.percent.toFixed(1)} percent (quartiles ${figures.low.toFixed(1)} to ${figures.high.toFixed(1)}), goal at most 3`;
  console.log(options.json ? JSON.stringify(figures) : text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
