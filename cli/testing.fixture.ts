import { join } from 'node:path';
import { Readable } from 'node:stream';
import { VirtualClock } from '../core/clock.ts';
import type { Log } from '../log/log.ts';
import { runCommandLine } from './cli.ts';
import { openEngine } from './wire.ts';

export interface Said {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Runs the command line in this process, in a folder, with an empty environment. */
export async function say(
  cwd: string,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
  input: readonly string[] = [],
): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommandLine(args, {
    cwd,
    env,
    clock: new VirtualClock(),
    input: Readable.from(input.map((chunk) => Buffer.from(chunk))),
    out: (line) => void out.push(...line.split('\n')),
    err: (line) => void err.push(...line.split('\n')),
    over: undefined,
    stop: new AbortController().signal,
  });
  return { code, out, err };
}

/** What is done to the file log of a folder, beside the command line. */
export async function withFileLog<T>(cwd: string, use: (log: Log) => Promise<T>): Promise<T> {
  const engine = await openEngine({ directory: join(cwd, '.nodeflow', 'data') });
  try {
    return await use(engine.log);
  } finally {
    await engine.close();
  }
}
