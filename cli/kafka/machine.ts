import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { FlowError, messageOf } from '../../core/errors.ts';

/** What starting brokers needs of the machine. */
export interface Machine {
  readonly env: { readonly [name: string]: string | undefined };
  readonly clock: Clock;
  readonly run: Run;
  /** Tells what takes long. */
  say(line: string): void;
  /** Aborts where waiting for brokers is to be given up. */
  readonly stop: AbortSignal;
}

/** How a program ended. */
export interface Ended {
  /** `undefined` where a signal ended it. */
  readonly code: number | undefined;
  /** Standard output and standard error, in the order in which they came. */
  readonly said: string;
}

/** Runs a program to its end; answers `undefined` where there is none of that name. */
export type Run = (
  program: string,
  args: readonly string[],
  env: { readonly [name: string]: string | undefined },
) => Promise<Ended | undefined>;

export const runProgram: Run = (program, args, env) =>
  new Promise((resolve, reject) => {
    const isScript = process.platform === 'win32' && program === 'mvn';
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], shell: isScript });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => (said += text));
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(undefined);
      else reject(new FlowError('tool.missing', `${program} cannot be run (${messageOf(error)}); check its file`));
    });
    child.on('close', (code) => resolve({ code: code ?? undefined, said }));
  });

/** The folder that holds what is fetched once for all projects of a user. */
export function cacheFolder(env: Machine['env']): string {
  const chosen = env['XDG_CACHE_HOME'] || (process.platform === 'win32' ? env['LOCALAPPDATA'] : undefined);
  return join(chosen || join(env['HOME'] || homedir(), '.cache'), 'nodeflow');
}

/** Whether a process runs that was started with these words; another one may have got its id since. */
export function isRunning(pid: number, words: string): boolean {
  try {
    process.kill(pid, 0);
    return commandLine(pid).includes(words);
  } catch {
    return false;
  }
}

function commandLine(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  if (process.platform === 'win32') {
    const query = `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`;
    return execFileSync('powershell', ['-NoProfile', '-Command', query], { encoding: 'utf8' });
  }
  return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
}
