import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A broker to measure against, and its process. */
export interface Broker {
  readonly brokers: string;
  readonly pid: number;
  stop(): void;
}

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** Starts one broker with a heap for benchmarks; its data live in `folder` and go with it. */
export function startBroker(folder: string): Broker {
  const kafka = (...words: string[]) =>
    execFileSync(process.execPath, [MAIN, 'kafka', ...words, '--data', folder, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  kafka('up', '--heap', '1g');
  const { brokers, processes } = JSON.parse(kafka('status')) as {
    brokers: string;
    processes: readonly { readonly pid: number }[];
  };
  const { pid } = processes[0]!;
  const stop = () => {
    try {
      kafka('down');
    } catch {
      // whatever the command has met: the broker may not outlive the benchmark
      process.kill(pid, 'SIGKILL');
    }
  };
  return { brokers, pid, stop };
}
