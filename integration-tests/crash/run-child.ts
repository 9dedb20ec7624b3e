import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** What the process is told besides its folder. */
export interface ChildSettings {
  readonly workers: number;
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** A cluster in place of the log in the folder. */
  readonly brokers?: string;
}

export interface ChildOptions extends Partial<ChildSettings> {
  /** `name:hit:action`, see `core/failpoints.ts`. */
  readonly failpoint?: string;
}

/** Runs the job of this folder in a process of its own. */
export function runChild(directory: string, options: ChildOptions = {}): Promise<Ended> {
  const { NODEFLOW_FAILPOINT: _, ...env } = process.env;
  const { failpoint, ...chosen } = options;
  const settings: ChildSettings = { workers: 1, guarantee: 'exactly-once', ...chosen };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), directory, JSON.stringify(settings)], {
    env: failpoint === undefined ? env : { ...env, NODEFLOW_FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      process.off('exit', kill);
      resolve({ signal, code, output, errors });
    });
  });
}

/** The last line of its output. */
export interface ChildReport {
  readonly how: string;
  readonly records: number;
  readonly recordsByWorker: readonly number[];
  /** Members that the group of the job has after the run. */
  readonly members: readonly string[];
}

export function reportOf({ output, errors }: Ended): ChildReport {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`the process reported nothing: ${output}${errors}`);
  return JSON.parse(last) as ChildReport;
}
