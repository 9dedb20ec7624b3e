import { once } from 'node:events';
import { createTelemetry, openEngine, run } from '../../index.ts';
import type { Log } from '../../log/log.ts';
import { type Places, program } from './topology.ts';

/**
 * The engine in a process of its own: `node bench/restart/engine-main.ts <JSON>`. It says a line of JSON when all its
 * tasks run and have taken so many records, and ends when standard input does.
 */
export interface RestartJob extends Places {
  readonly brokers: string;
  readonly directory: string;
  /** Said when so many records are done; at least one. */
  readonly records: number;
}

/** All times in milliseconds. */
export interface Restarted {
  /** From the call that starts the topology to its first assignment. */
  readonly joinMs: number;
  /** From the first assignment until all tasks run, and to the first record. */
  readonly readyMs: number;
  readonly firstMs: number;
  /** From the call that starts the topology to the first record. */
  readonly startToFirstMs: number;
  readonly restored: number;
  /** CPU of the process from the first assignment until all tasks run, in seconds. */
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

const job = JSON.parse(process.argv[2]!) as RestartJob;
const telemetry = createTelemetry({ level: 'silent' });
const engine = await openEngine({ brokers: job.brokers, directory: job.directory, telemetry });
let assigned: { readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;
let firstAt = 0;
const built = program(job, () => {
  if (firstAt === 0) firstAt = performance.now();
});
const startedAt = performance.now();
const running = await run(built, {
  engine: { ...engine, log: observed(engine.log) },
  settings: { instanceId: 'bench' },
});
running.finished.catch((thrown: unknown) => {
  console.error(thrown);
  process.exit(1);
});
const { at, cpu } = assigned!;
while (!running.health().ready) await engine.clock.sleep(2);
const readyMs = performance.now() - at;
const { user, system } = process.cpuUsage(cpu);
while (running.progress().records < job.records || running.progress().lag > 0) await engine.clock.sleep(5);
const restored = telemetry.snapshot().filter(({ name }) => name === 'nodeflow_restore_records_total');
const told: Restarted = {
  joinMs: at - startedAt,
  readyMs,
  firstMs: firstAt - at,
  startToFirstMs: firstAt - startedAt,
  restored: restored.reduce((sum, { values }) => sum + (values[0] ?? 0), 0),
  cpuSeconds: (user + system) / 1e6,
  peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
};
console.log(JSON.stringify(told));
process.stdin.resume();
await once(process.stdin, 'end');
await running.drain();
await engine.close();

/** The same log; it notes the first assignment. */
function observed(log: Log): Log {
  return {
    capabilities: log.capabilities,
    admin: log.admin,
    reader: (options) => log.reader(options),
    producer: (options) => log.producer(options),
    join: (options) =>
      log.join({
        ...options,
        onAssign(assignment) {
          assigned ??= { at: performance.now(), cpu: process.cpuUsage() };
          options.onAssign(assignment);
        },
      }),
    committed: (...args) => log.committed(...args),
    close: () => log.close(),
  };
}
