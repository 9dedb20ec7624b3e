import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/**
 * What the processes of one test run share: each test file is a process of its own, and `bin/test.mjs` is the run. A
 * folder, named by an environment variable, holds a broker that files may share, and the list of tests that were left
 * out. A file that is run by itself has none: it starts what it needs, and says itself what is left out.
 */
export interface TestRun {
  readonly folder: string;
  /** The process that ends the run. */
  readonly owner: number;
}

export interface LeftOut {
  readonly file: string;
  readonly reason: string;
}

const VARIABLE = 'NODEFLOW_TEST_FOLDER';
const ownerFile = (folder: string) => join(folder, 'owner');
const leftOutFile = (folder: string) => join(folder, 'left-out');

/** Begins a run of which this process is the owner; processes that it starts belong to it. */
export function beginTestRun(): TestRun {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-test-run-'));
  writeFileSync(ownerFile(folder), String(process.pid));
  process.env[VARIABLE] = folder;
  return { folder, owner: process.pid };
}

/** The run that this process belongs to. */
export function currentTestRun(): TestRun | undefined {
  const folder = process.env[VARIABLE];
  if (folder === undefined || !existsSync(ownerFile(folder))) return undefined;
  return { folder, owner: Number(readFileSync(ownerFile(folder), 'utf8')) };
}

/** Ends a run of this process; answers what its files left out. */
export function endTestRun({ folder }: TestRun): readonly LeftOut[] {
  const lines = existsSync(leftOutFile(folder)) ? readFileSync(leftOutFile(folder), 'utf8').trim().split('\n') : [];
  rmSync(folder, { recursive: true, force: true });
  delete process.env[VARIABLE];
  return lines.map((line) => JSON.parse(line) as LeftOut);
}

/** Says that tests of this file cannot run on this machine; fails where all tests must run. */
export function leaveOut(reason: string): void {
  if (process.env['CI'] === 'true') throw new Error(`tests cannot run here, and with CI=true all must: ${reason}`);
  const file = relative(process.cwd(), process.argv[1] ?? '');
  const run = currentTestRun();
  if (run === undefined) process.stderr.write(`left out of ${file}: ${reason}\n`);
  else appendFileSync(leftOutFile(run.folder), `${JSON.stringify({ file, reason } satisfies LeftOut)}\n`);
}
