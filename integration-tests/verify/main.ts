import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOptions } from '../support/command-options.ts';
import { CODE_ROWS } from './code-rows.ts';
import { DOCTORED, selfTest } from './doctored.ts';
import { createFileWorld } from './file-world.ts';
import { GROUP_ROWS } from './group-rows.ts';
import { createKafkaWorld } from './kafka-world.ts';
import { NETWORK_ROWS, oldProtocolRows } from './network-rows.ts';
import { PROCESS_ROWS } from './process-rows.ts';
import { reportOf } from './report.ts';
import type { Row } from './rows.ts';
import { type Outcome, runRow } from './run-row.ts';
import { STANDBY_ROWS } from './standby-rows.ts';
import type { World } from './world.ts';

/**
 * Proves, as far as runs can, that the engine affects its committed output and state exactly once, whatever happens:
 *
 *     npm run verify:eos                       every row
 *     npm run verify:eos -- --short            a few repeats of the cheap rows
 *     npm run verify:eos -- --share 0.2        every row, with a part of its repeats
 *     npm run verify:eos -- --rows 1,19        rows by number; '1 K5' is one step of row 1
 *     npm run verify:eos -- --log file         on the file log
 *     npm run verify:eos -- --log confluent    on Kafka by that client
 *     npm run verify:eos -- --release 3.7.2    on brokers of an older release
 *     npm run verify:eos -- --seed 7 --json
 *     npm run verify:eos -- --logs folder      what the processes logged
 *
 * Before the rows the checker itself is tried on doctored results, which it must refuse. Exits with 1 where a row does
 * not hold.
 */
const values = commandOptions(import.meta.filename, {
  short: { type: 'boolean', default: false },
  rows: { type: 'string' },
  repeats: { type: 'string' },
  share: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  log: { type: 'string', default: 'kafka' },
  release: { type: 'string' },
  logs: { type: 'string' },
});
const seed = Number(values.seed);
const share = Number(values.share);
const say = (line: string) => process.stderr.write(`${line}\n`);

function chosen(kind: World['kind']): readonly Row[] {
  const wanted = values.rows?.split(',').map((each) => each.trim());
  const isWanted = ({ id }: Row) => wanted?.some((each) => id === each || id.startsWith(`${each} `)) ?? true;
  const rows = [...PROCESS_ROWS, ...CODE_ROWS, ...GROUP_ROWS, ...STANDBY_ROWS, ...NETWORK_ROWS];
  return [...rows, ...oldProtocolRows(rows)]
    .filter((row) => row.worlds.includes(kind) && isWanted(row))
    .filter((row) => !values.short || row.short !== undefined);
}

function keepLogs(to: string, row: string, logs: readonly string[]): void {
  const at = join(to, row.replaceAll(' ', '-'));
  mkdirSync(at, { recursive: true });
  for (const [i, log] of logs.entries()) writeFileSync(join(at, `${i}.log`), log);
}

const failures = selfTest(seed);
say(`the checker refused ${DOCTORED.length - failures.length} of ${DOCTORED.length} doctored results`);
if (failures.length > 0) throw new Error(failures.join('\n'));

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-verify-'));
const outcomes: Outcome[] = [];

/** Runs rows one after another in a world of their own. */
async function runRows(world: World, rows: readonly Row[]): Promise<void> {
  try {
    for (const row of rows) {
      const repeats = Number(values.repeats ?? (values.short ? row.short : Math.ceil(row.repeats * share)));
      const serial = outcomes.length;
      const outcome = await runRow(world, row, repeats, seed + serial, `verify-${serial}`);
      outcomes.push(outcome);
      if (values.logs !== undefined) keepLogs(values.logs, row.id, outcome.logs);
      say(`${row.id}: ${row.title}: ${outcome.problems.length === 0 ? 'holds' : 'FAILS'} (${outcome.seconds} s)`);
      for (const problem of outcome.problems) say(`  ${problem}`);
    }
  } finally {
    await world.close();
  }
}

try {
  const kind = values.log === 'file' ? 'file' : 'kafka';
  const rows = chosen(kind);
  for (const { brokers = 1, protocol } of [{}, { brokers: 3 }, { protocol: 'old' }] as const satisfies Partial<Row>[]) {
    const here = rows.filter((row) => (row.brokers ?? 1) === brokers && row.protocol === protocol);
    if (here.length === 0) continue;
    const driver = values.log === 'confluent' ? ('confluent' as const) : undefined;
    const options = { protocol, release: values.release, driver };
    await runRows(kind === 'file' ? createFileWorld(folder) : await createKafkaWorld(folder, brokers, options), here);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const rows = outcomes.map(({ logs: _, ...rest }) => rest);
const report = { seed, log: values.log, release: values.release, node: process.version, rows };
process.stdout.write(values.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportOf(outcomes));
process.exitCode = outcomes.length > 0 && outcomes.every(({ problems }) => problems.length === 0) ? 0 : 1;
