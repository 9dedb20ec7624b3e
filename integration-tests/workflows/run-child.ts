import { spawn } from 'node:child_process';

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program with arguments; killed so long after it has said something, where that is said. */
export function runChild(script: readonly string[], killAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let killing: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (killAfterMs !== undefined && killing === undefined) {
      killing = setTimeout(kill, killAfterMs);
    }
  });
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(killing);
      process.off('exit', kill);
      resolve({ signal, code, output, errors });
    });
  });
}
