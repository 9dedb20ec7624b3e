import { VirtualClock } from '../core/clock.ts';
import { runCommandLine } from './cli.ts';

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
): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommandLine(args, {
    cwd,
    env,
    clock: new VirtualClock(),
    out: (line) => void out.push(...line.split('\n')),
    err: (line) => void err.push(...line.split('\n')),
    over: undefined,
    stop: new AbortController().signal,
  });
  return { code, out, err };
}
