import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FlowError, messageOf } from '../../core/errors.ts';
import { aloneIn } from '../../core/folder-lock.ts';
import { ensureArchive } from './archive.ts';
import { awaitServing, formatBroker, lostItsPort, runningPid, startBroker, stopBrokers } from './broker.ts';
import {
  type Addresses,
  addressesOf,
  brokerFolders,
  type Cluster,
  type ClusterSettings,
  idOf,
  portKinds,
  portsOf,
  readCluster,
  writeCluster,
} from './cluster.ts';
import { type Distribution, fetchKafka, firstRecords, KAFKA_VERSION } from './distribution.ts';
import type { Machine } from './machine.ts';
import { freePorts, portsFrom } from './ports.ts';
import { serverProperties } from './properties.ts';
import { makeCertificates, securityIn } from './security.ts';

/**
 * Kafka brokers on this machine, for trying things out and for tests: KRaft, on the loopback address, each its own
 * Java process that outlives the command. A cluster is a data folder: what it was made with, its ports, and a folder a
 * broker with its properties, data, log and process id. Nothing else is known of it.
 */
export interface Up {
  readonly addresses: Addresses;
  readonly cluster: Cluster;
  /** False where all of it ran already. */
  readonly started: boolean;
}

export interface BrokerStatus {
  readonly broker: number;
  readonly address: string;
  readonly pid: number | undefined;
}

const KEPT_GRACE_MS = 20_000;
/** Nobody reads the data again: there is no reason to wait long for them to be written. */
const DROPPED_GRACE_MS = 3_000;
const PORT_ATTEMPTS = 3;

/** Starts a cluster, or those of its brokers that do not run. Where it runs as it was asked for, it is only reported. */
export async function upKafka(
  folder: string,
  settings: ClusterSettings,
  machine: Machine,
  firstPort?: number,
): Promise<Up> {
  try {
    return await aloneIn(`${folder}.turn`, 'the cluster', machine.clock, () =>
      upAlone(folder, settings, machine, firstPort),
    );
  } catch (thrown) {
    removeIfEmpty(dirname(folder));
    throw thrown;
  }
}

async function upAlone(
  folder: string,
  settings: ClusterSettings,
  machine: Machine,
  firstPort: number | undefined,
): Promise<Up> {
  const there = readCluster(folder);
  if (there !== undefined) {
    checkFits(folder, there, settings, firstPort);
    const allRun = brokerFolders(folder, there).every((broker) => runningPid(broker) !== undefined);
    if (allRun) return { addresses: addressesOf(folder, there), cluster: there, started: false };
  }
  const kafka = await fetchKafka(machine, settings.release);
  await ensureArchive(kafka, machine);
  if (there !== undefined) await startAll(folder, there, kafka, machine);
  const cluster = there ?? (await create(folder, settings, kafka, machine, firstPort));
  return { addresses: addressesOf(folder, cluster), cluster, started: true };
}

function checkFits(folder: string, there: Cluster, settings: ClusterSettings, firstPort: number | undefined): void {
  const differs =
    JSON.stringify(there.settings) !== JSON.stringify(settings) ||
    (firstPort !== undefined && there.ports[0]?.plain !== firstPort);
  if (!differs && there.version === (settings.release ?? KAFKA_VERSION)) return;
  throw new FlowError(
    'config.invalid',
    `in ${folder} there is a cluster made with other options (Kafka ${there.version}, ${JSON.stringify(there.settings)}, ` +
      `first port ${there.ports[0]?.plain}); say nodeflow kafka down first, or choose another --data`,
  );
}

/** Makes a new cluster and starts it; nothing is left of one that does not start. */
async function create(
  folder: string,
  settings: ClusterSettings,
  kafka: Distribution,
  machine: Machine,
  firstPort: number | undefined,
): Promise<Cluster> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new FlowError(
      'config.invalid',
      `the folder ${folder} is there but holds no cluster; remove it, or choose another --data`,
    );
  }
  for (let attempt = 0; ; attempt++) {
    const count = settings.brokers * portKinds(settings).length;
    const numbers = await (firstPort === undefined ? freePorts(count, attempt) : portsFrom(firstPort, count));
    const cluster: Cluster = {
      version: kafka.version,
      clusterId: idOf(folder, process.pid, machine.clock.now()),
      settings,
      ports: portsOf(settings, numbers),
    };
    try {
      writeCluster(folder, cluster);
      await startAll(folder, cluster, kafka, machine);
      return cluster;
    } catch (thrown) {
      await stopBrokers(brokerFolders(folder, cluster), machine, { graceMs: 0 });
      removeData(folder);
      if (firstPort !== undefined || !lostItsPort(thrown) || attempt + 1 >= PORT_ATTEMPTS) throw thrown;
      machine.say(`another process took a port: ${messageOf(thrown).split('\n')[0]}; trying others`);
    }
  }
}

async function startAll(folder: string, cluster: Cluster, kafka: Distribution, machine: Machine): Promise<void> {
  const all = brokerFolders(folder, cluster);
  if (cluster.settings.secure) await makeCertificates(folder, machine);
  for (const { id } of all) await startOne(folder, cluster, id, kafka, machine);
  await awaitServing(all, all.length, machine);
}

/** Starts one broker of a cluster where it does not run, without waiting for it. */
export async function startOne(
  folder: string,
  cluster: Cluster,
  id: number,
  kafka: Distribution,
  machine: Machine,
): Promise<void> {
  const { settings, ports, clusterId } = cluster;
  const broker = brokerFolders(folder, cluster)[id - 1]!;
  if (runningPid(broker) !== undefined) return;
  const properties = serverProperties({
    id,
    folder: broker.folder,
    ports: ports[id - 1]!,
    controllers: ports.map(({ controller }) => controller),
    advertise: settings.advertise[id - 1],
    security: settings.secure ? securityIn(folder) : undefined,
    extra: settings.extra,
  });
  const records = await firstRecords(kafka, machine, settings);
  formatBroker(broker, { properties, records, clusterId, directoryId: idOf(clusterId, id) });
  startBroker(broker, kafka, machine, { heap: settings.heap });
}

/** Stops a cluster; answers whether there was one. */
export async function downKafka(
  folder: string,
  machine: Machine,
  { keep, graceMs = keep ? KEPT_GRACE_MS : DROPPED_GRACE_MS }: { readonly keep: boolean; readonly graceMs?: number },
): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const isThere = await aloneIn(`${folder}.turn`, 'the cluster', machine.clock, async () => {
    const cluster = readCluster(folder);
    if (cluster === undefined) return false;
    await stopBrokers(brokerFolders(folder, cluster), machine, { graceMs });
    if (!keep) removeData(folder);
    return true;
  });
  if (!keep) removeIfEmpty(dirname(folder));
  return isThere;
}

function removeData(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The folder above the data may be ours too, or hold other things. */
function removeIfEmpty(folder: string): void {
  if (basename(folder) === '.nodeflow' && readdirSync(folder).length === 0) rmdirSync(folder);
}

/** What is in a folder, and which of its brokers run. */
export function statusOf(folder: string):
  | {
      readonly cluster: Cluster;
      readonly addresses: Addresses;
      readonly brokers: readonly BrokerStatus[];
    }
  | undefined {
  const cluster = readCluster(folder);
  if (cluster === undefined) return undefined;
  const addresses = addressesOf(folder, cluster);
  const each = addresses.brokers.split(',');
  const brokers = brokerFolders(folder, cluster).map((broker, i) => ({
    broker: broker.id,
    address: each[i]!,
    pid: runningPid(broker),
  }));
  return { cluster, addresses, brokers };
}

export const defaultFolder = (cwd: string): string => join(cwd, '.nodeflow', 'kafka');
