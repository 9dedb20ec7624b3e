import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureArchive } from '../../cli/kafka/archive.ts';
import { awaitServing, runningPid, signal, stopBrokers } from '../../cli/kafka/broker.ts';
import { type Addresses, brokerFolders, type Cluster, type ClusterSettings } from '../../cli/kafka/cluster.ts';
import { fetchKafka, KAFKA_VERSION } from '../../cli/kafka/distribution.ts';
import { downKafka, startOne, upKafka } from '../../cli/kafka/kafka.ts';
import { type Machine, runProgram } from '../../cli/kafka/machine.ts';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { currentTestRun, leaveOut } from './test-run.ts';

export interface Wish {
  /** Default 1. */
  readonly brokers?: 1 | 3;
  /** Also listeners with SASL and TLS. */
  readonly secure?: boolean;
  /** A release of Kafka. Default: that of `NODEFLOW_TEST_RELEASE`, else the newest. */
  readonly release?: string;
  /** Features at other versions than the newest, such as `transaction.version=0`. */
  readonly features?: readonly string[];
  /** Server properties. */
  readonly set?: { readonly [key: string]: string | number };
  /** What clients are told instead of the addresses, such as a proxy that listens already: one `host:port` a broker. */
  readonly advertise?: readonly string[];
  /** Brokers for this caller alone, which may fault them. Whoever wishes for more than one plain broker has them. */
  readonly own?: boolean;
}

/** Brokers are named by their ids in the cluster, from 1. */
export interface TestBrokers {
  readonly addresses: Addresses;
  /** Ends a process as a crash does. */
  kill(id: number): Promise<void>;
  /** Ends a process as an operator does: it hands its partitions over first. */
  stop(id: number): Promise<void>;
  /** Starts a broker again, and waits until it serves. */
  start(id: number): Promise<void>;
  /** Stops a process where it stands, as a long pause does; `resume` lets it go on. */
  pause(id: number): void;
  resume(id: number): void;
  /** Ends brokers that are the caller's own, and removes their data. Brokers that are shared go on. */
  close(): Promise<void>;
}

const STOP_GRACE_MS = 20_000;
const TEST_RELEASE = process.env['NODEFLOW_TEST_RELEASE'] || KAFKA_VERSION;

export const machine: Machine = {
  env: process.env,
  clock: systemClock,
  run: runProgram,
  say: () => undefined,
  stop: new AbortController().signal,
};

/**
 * Real brokers for a test. One plain broker is shared: that of `NODEFLOW_TEST_BROKERS`, else one for all files of the
 * run. All others are started for the caller, who closes them; should its process die before, they end too. Topics of
 * a shared broker stay, so names must be the test's own. Answers `undefined` on a machine that cannot run brokers; the
 * run then says what was left out and why, and fails where all tests must run.
 */
export async function testBrokers(wish: Wish = {}): Promise<TestBrokers | undefined> {
  const { brokers = 1, secure, own: isOwn, set, features, advertise } = wish;
  const isPlain = brokers === 1 && !(secure || isOwn || set || features || advertise || wish.release);
  const given = process.env['NODEFLOW_TEST_BROKERS'];
  if (isPlain && given) return shared({ brokers: given });
  if (!(await canStartBrokers(wish.release))) return undefined;
  const run = currentTestRun();
  if (isPlain && run !== undefined) {
    const folder = sharedFolder(run.folder);
    if (isFirst(join(run.folder, 'guarded'))) guard(run.owner, run.folder, folder);
    return shared((await upKafka(folder, settingsOf(wish), machine)).addresses);
  }
  return own(wish);
}

/** Whether this machine has what brokers need; where not, the tests of this file are left out. */
export async function canStartBrokers(release = TEST_RELEASE): Promise<boolean> {
  try {
    await ensureArchive(await fetchKafka(machine, release), machine);
    return true;
  } catch (thrown) {
    if (!isFlowError(thrown, 'tool.missing') && !isFlowError(thrown, 'kafka.fetch')) throw thrown;
    leaveOut(thrown.message);
    return false;
  }
}

/** Ends the broker that the files of a run shared, where there was one. */
export async function closeSharedBroker(runFolder: string): Promise<void> {
  await downKafka(sharedFolder(runFolder), machine, { keep: false, graceMs: 0 });
}

const sharedFolder = (runFolder: string) => join(runFolder, 'kafka');

function settingsOf(wish: Wish): ClusterSettings {
  const { brokers = 1, release = TEST_RELEASE, secure = false, set = {}, features, advertise = [] } = wish;
  // the features that tests put back are as old as releases before 4.0
  const isOld = Number(release.split('.')[0]) < 4;
  return {
    release,
    brokers,
    secure,
    advertise,
    ...(features === undefined || isOld ? {} : { features }),
    extra: Object.entries(set).map(([key, value]) => [key, String(value)]),
  };
}

function shared(addresses: Addresses): TestBrokers {
  const refuse = () => {
    throw new Error('this broker is shared with other tests: wish for { own: true } to fault it');
  };
  return {
    addresses,
    kill: async () => refuse(),
    stop: async () => refuse(),
    start: async () => refuse(),
    pause: refuse,
    resume: refuse,
    close: async () => undefined,
  };
}

async function own(wish: Wish): Promise<TestBrokers> {
  const root = mkdtempSync(join(tmpdir(), 'nodeflow-brokers-'));
  const folder = join(root, 'kafka');
  const close = async () => {
    await downKafka(folder, machine, { keep: false, graceMs: 0 });
    rmSync(root, { recursive: true, force: true });
  };
  guard(process.pid, root, folder);
  try {
    const { addresses, cluster } = await upKafka(folder, settingsOf(wish), machine);
    return { addresses, ...faults(folder, cluster), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function faults(folder: string, cluster: Cluster): Omit<TestBrokers, 'addresses' | 'close'> {
  const all = brokerFolders(folder, cluster);
  const one = (id: number) => {
    const broker = all[id - 1];
    if (broker === undefined) throw new Error(`there is no broker ${id} among ${all.length}`);
    return broker;
  };
  return {
    async kill(id) {
      signal([one(id)], 'SIGKILL');
      await stopBrokers([one(id)], machine, { graceMs: 0 });
    },
    stop: (id) => stopBrokers([one(id)], machine, { graceMs: STOP_GRACE_MS }),
    async start(id) {
      await startOne(folder, cluster, id, await fetchKafka(machine, cluster.version), machine);
      const running = all.filter((broker) => runningPid(broker) !== undefined);
      await awaitServing([one(id)], running.length, machine);
    },
    pause: (id) => signal([one(id)], 'SIGSTOP'),
    resume: (id) => signal([one(id)], 'SIGCONT'),
  };
}

/** Starts a process that ends a cluster when its owner is gone, however that ended. */
function guard(owner: number, root: string, cluster: string): void {
  const script = fileURLToPath(new URL('./broker-guard.ts', import.meta.url));
  const child = spawn(process.execPath, [script, String(owner), root, cluster], { detached: true, stdio: 'ignore' });
  child.unref();
}

/** True for one process among those that ask. */
function isFirst(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}
