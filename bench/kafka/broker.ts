import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';

/** A broker to measure against, and its process. */
export interface Broker {
  readonly brokers: string;
  readonly pid: number;
  stop(): void;
}

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'cli', 'main.ts');
/** Ends a broker whose owner was killed, and removes the owner's folder. */
const GUARD = join(ROOT, 'integration-tests', 'support', 'broker-guard.ts');

/** Starts one broker with a heap for benchmarks; its data live in `root`, a folder of this process, and go with it. */
export function startBroker(root: string): Broker {
  const folder = join(root, 'broker');
  const kafka = (...words: string[]) =>
    execFileSync(process.execPath, [MAIN, 'kafka', ...words, '--data', folder, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const guard = [GUARD, String(process.pid), root, folder];
  spawn(process.execPath, guard, { detached: true, stdio: 'ignore' }).unref();
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
