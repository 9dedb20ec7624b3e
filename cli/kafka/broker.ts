import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import { type Distribution, SMALL_JAVA } from './distribution.ts';
import { isRunning, type Machine } from './machine.ts';
import { servingBrokers } from './probe.ts';
import { HOST, metaProperties } from './properties.ts';

/** The folder of one broker: everything of it is inside. */
export interface BrokerFolder {
  readonly id: number;
  readonly folder: string;
}

const CHECK_MS = 25;
const READY_TIMEOUT_MS = 180_000;
const LAST_LINES = 12;

export const propertiesFile = ({ folder }: BrokerFolder): string => join(folder, 'server.properties');
export const logFile = ({ folder }: BrokerFolder): string => join(folder, 'broker.log');
const pidFile = ({ folder }: BrokerFolder): string => join(folder, 'pid');

/** Writes what a broker starts from: its properties, its identity and the first records of its cluster. */
export function formatBroker(
  broker: BrokerFolder,
  {
    properties,
    records,
    clusterId,
    directoryId,
  }: {
    readonly properties: string;
    readonly records: string;
    readonly clusterId: string;
    readonly directoryId: string;
  },
): void {
  const data = join(broker.folder, 'data');
  const isNew = !existsSync(data);
  mkdirSync(data, { recursive: true });
  writeFileSync(propertiesFile(broker), properties);
  if (!isNew) return;
  writeFileSync(join(data, 'meta.properties'), metaProperties(broker.id, clusterId, directoryId));
  copyFileSync(records, join(data, 'bootstrap.checkpoint'));
}

/** The process of a broker, where it runs. */
export function runningPid(broker: BrokerFolder): number | undefined {
  if (!existsSync(pidFile(broker))) return undefined;
  const pid = Number(readFileSync(pidFile(broker), 'utf8'));
  return pid > 0 && isRunning(pid, propertiesFile(broker)) ? pid : undefined;
}

/** Starts a broker as a process of its own that outlives this one, and answers its id at once. */
export function startBroker(
  broker: BrokerFolder,
  kafka: Distribution,
  machine: Machine,
  { heap, extra = [] }: { readonly heap?: string | undefined; readonly extra?: readonly string[] },
): number {
  const memory =
    heap === undefined
      ? ['-Xmx256m', ...SMALL_JAVA]
      : [`-Xms${heap}`, `-Xmx${heap}`, '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-Xshare:auto'];
  const archive = existsSync(kafka.archive) && extra.length === 0 ? [`-XX:SharedArchiveFile=${kafka.archive}`] : [];
  const args = [
    ...memory,
    ...archive,
    ...extra,
    `-Dlog4j2.configurationFile=${kafka.logging}`,
    ...['-cp', kafka.classPath, 'kafka.Kafka', propertiesFile(broker)],
  ];
  const log = openSync(logFile(broker), 'a');
  const child = spawn(kafka.java.program, args, {
    cwd: broker.folder,
    env: machine.env,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined) {
    throw new FlowError('kafka.start', `${kafka.java.program} cannot be started; check that it can be executed`);
  }
  writeFileSync(pidFile(broker), String(child.pid));
  return child.pid;
}

/** Waits until all brokers of a cluster serve and know each other. Fails with `kafka.start` and the last log lines. */
export async function awaitServing(
  brokers: readonly (BrokerFolder & { readonly port: number })[],
  count: number,
  machine: Machine,
): Promise<void> {
  const { clock } = machine;
  const end = clock.monotonic() + READY_TIMEOUT_MS;
  for (const broker of brokers) {
    while ((await servingBrokers(broker.port, clock)) < count) {
      const dead = brokers.find((each) => runningPid(each) === undefined);
      if (dead !== undefined) throw diedAtStart(dead);
      if (machine.stop.aborted) throw new FlowError('stopped', 'stopped while brokers were starting; start them again');
      if (clock.monotonic() > end) {
        throw new FlowError(
          'kafka.start',
          `broker ${broker.id} on ${HOST}:${broker.port} did not serve within ${READY_TIMEOUT_MS / 1000} s; ` +
            `see ${logFile(broker)}\n${lastLines(broker)}`,
        );
      }
      await clock.sleep(CHECK_MS);
    }
  }
}

/** Whether a broker died because another process took one of its ports in the meantime. */
export function lostItsPort(thrown: unknown): boolean {
  return thrown instanceof FlowError && thrown.code === 'kafka.start' && /Address already in use/.test(thrown.message);
}

function diedAtStart(broker: BrokerFolder): FlowError {
  return new FlowError(
    'kafka.start',
    `broker ${broker.id} died at its start; correct what its last log lines say:\n${lastLines(broker)}`,
  );
}

function lastLines(broker: BrokerFolder): string {
  if (!existsSync(logFile(broker))) return '(no log)';
  const lines = readFileSync(logFile(broker), 'utf8').trimEnd().split('\n');
  // stack frames say little to whoever set a wrong option
  return lines
    .filter((line) => !/^\s+at |^\s*\.\.\. \d+ more/.test(line))
    .slice(-LAST_LINES)
    .join('\n');
}

/** Ends processes of brokers: asks, and kills those that have not gone after a while. */
export async function stopBrokers(
  brokers: readonly BrokerFolder[],
  machine: Machine,
  { graceMs }: { readonly graceMs: number },
): Promise<void> {
  const { clock } = machine;
  signal(brokers, 'SIGTERM');
  const killAt = clock.monotonic() + graceMs;
  let isKilled = false;
  while (brokers.some((broker) => runningPid(broker) !== undefined)) {
    if (!isKilled && clock.monotonic() > killAt) {
      isKilled = true;
      signal(brokers, 'SIGKILL');
    }
    await clock.sleep(CHECK_MS);
  }
  for (const broker of brokers) rmSync(pidFile(broker), { force: true });
}

/** Sends a signal to those of the brokers that run. */
export function signal(brokers: readonly BrokerFolder[], name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  for (const broker of brokers) {
    const pid = runningPid(broker);
    if (pid === undefined) continue;
    try {
      process.kill(pid, name);
    } catch (thrown) {
      // it went by itself in between
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }
}
