#!/usr/bin/env node
import { systemClock } from '../core/clock.ts';
import { runCommandLine } from './cli.ts';

const stop = new AbortController();
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 };

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

const code = await runCommandLine(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  clock: systemClock,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  over: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\x1b[2K${line}`) : undefined,
  stop: stop.signal,
});
process.exitCode = code;
