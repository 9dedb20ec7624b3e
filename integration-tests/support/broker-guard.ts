import { existsSync, rmSync } from 'node:fs';
import { downKafka } from '../../cli/kafka/kafka.ts';
import { runProgram } from '../../cli/kafka/machine.ts';
import { systemClock } from '../../core/clock.ts';

/**
 * Waits for the end of a process that started brokers, then ends these and removes their folder:
 *
 *     node broker-guard.ts <process id> <folder to remove> <folder of the cluster>
 *
 * It ends by itself when the owner has removed the folder.
 */
const CHECK_MS = 250;
const [owner, root, cluster] = process.argv.slice(2) as [string, string, string];
const stop = new AbortController().signal;
const machine = { env: process.env, clock: systemClock, run: runProgram, say: () => undefined, stop };

while (existsSync(root) && isAlive(Number(owner))) await systemClock.sleep(CHECK_MS);
if (existsSync(root)) {
  await downKafka(cluster, machine, { keep: false, graceMs: 0 });
  rmSync(root, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
