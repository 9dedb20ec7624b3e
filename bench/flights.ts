import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFile, topology } from '../examples/flights/topology.ts';
import { openEngine, parquetFile, run } from '../index.ts';
import { median } from './spread.ts';

/**
 * The CPU of the main job against that of decoding the columns of its Parquet file alone, each in a process of its
 * own, three times; the medians count. What the job takes beyond the decoding is the engine's own part.
 *
 *     npm run bench:flights [-- --json]
 */
const RUNS = 3;

interface Figures {
  readonly cpuS: number;
  readonly peakMib: number;
}

async function decode(): Promise<void> {
  const columns = ['date', 'delay', 'distance', 'origin', 'destination'];
  const source = parquetFile(dataFile('flights-3m.parquet'), { columns });
  for (const split of await source.splits()) {
    const reader = await source.open(split, 0);
    while ((await reader.next(4096)) !== undefined);
    await reader.close();
  }
}

async function job(directory: string): Promise<void> {
  const engine = await openEngine({ directory });
  const running = await run(topology, { engine, settings: { commitIntervalMs: 1000 } });
  await running.finished;
  await engine.close();
}

function figures(): Figures {
  const { user, system } = process.cpuUsage();
  return { cpuS: (user + system) / 1e6, peakMib: process.resourceUsage().maxRSS / 1024 };
}

function measured(part: 'decode' | 'job'): Figures {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-bench-'));
  try {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), part, folder], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout) as Figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(): void {
  const pairs = Array.from({ length: RUNS }, () => ({ decode: measured('decode'), job: measured('job') }));
  const decodeS = median(pairs.map((pair) => pair.decode.cpuS));
  const jobS = median(pairs.map((pair) => pair.job.cpuS));
  const engineS = jobS - decodeS;
  const ratio = engineS / decodeS;
  const peakMib = Math.max(...pairs.map((pair) => pair.job.peakMib));
  const digits = (value: number) => Number(value.toFixed(2));
  if (process.argv.includes('--json')) {
    const row = { row: 'flights', decodeS: digits(decodeS), jobS: digits(jobS), engineS: digits(engineS) };
    console.log(JSON.stringify({ ...row, ratio: digits(ratio), peakMib: Math.round(peakMib) }));
    return;
  }
  console.log(`decoding alone   ${decodeS.toFixed(2)} s of CPU`);
  console.log(`the whole job    ${jobS.toFixed(2)} s of CPU`);
  console.log(`engine's part    ${engineS.toFixed(2)} s, ${ratio.toFixed(2)} times the decoding (goal: at most 2)`);
  console.log(`peak memory      ${Math.round(peakMib)} MiB (goal: under 512)`);
}

const [part, folder] = process.argv.slice(2);
if (part === 'decode' || part === 'job') {
  await (part === 'decode' ? decode() : job(folder!));
  console.log(JSON.stringify(figures()));
} else main();
