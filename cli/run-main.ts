import { systemClock } from '../core/clock.ts';
import { isFlowError, messageOf } from '../core/errors.ts';
import { redactText, registerSecretsOf } from '../telemetry/telemetry.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { World } from './world.ts';

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs the job of a process. It gets the process as its {@link World}; SIGINT and SIGTERM abort `world.stop`, and a
 * second one ends the process at once. What the job throws becomes one message on standard error and the exit code
 * of docs/errors.md, with the stack where `--verbose` stands among the arguments; a number it answers becomes the
 * exit code.
 */
export async function runMain(job: (world: World) => Promise<number | undefined> | Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(SIGNAL_EXIT[signal]);
      stop.abort(signal);
    });
  }
  // whoever reads our output may have seen enough
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const world = processWorld(stop.signal);
  registerSecretsOf(world.env);
  try {
    process.exitCode = (await job(world)) ?? 0;
  } catch (thrown) {
    reportFailure(thrown, world, {
      json: process.argv.includes('--json'),
      verbose: process.argv.includes('--verbose'),
    });
    process.exitCode = exitCodeOf(thrown);
  }
}

function processWorld(stop: AbortSignal): World {
  return {
    cwd: process.cwd(),
    env: process.env,
    clock: systemClock,
    get input() {
      return process.stdin;
    },
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    over: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\x1b[2K${line}`) : undefined,
    stop,
  };
}

/** Says what was thrown: one message without secrets, and the stack only where it is asked for. */
export function reportFailure(
  thrown: unknown,
  world: Pick<World, 'err'>,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): void {
  const code = isFlowError(thrown) ? thrown.code : undefined;
  const message = redactText(messageOf(thrown));
  if (json) world.err(JSON.stringify({ error: code ?? 'unexpected', message }));
  else world.err(`nodeflow: ${message}${code === undefined ? '' : ` [${code}]`}`);
  if (!verbose) return;
  for (let cause: unknown = thrown; cause instanceof Error; cause = cause.cause)
    world.err(redactText(cause.stack ?? ''));
}
