import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { aloneIn } from '../../core/folder-lock.ts';
import { awaitServing, formatBroker, runningPid, signal, startBroker, stopBrokers } from './broker.ts';
import { type Distribution, firstRecords, lockOf } from './distribution.ts';
import type { Machine } from './machine.ts';
import { freePorts } from './ports.ts';
import { serverProperties } from './properties.ts';

const DUMP_TIMEOUT_MS = 60_000;

/**
 * Makes the archive of loaded classes for this Java and this Kafka, with which a broker starts in half the time: one
 * broker is started, and when it ends Java writes what it had loaded. Without it brokers start too.
 */
export async function ensureArchive(kafka: Distribution, machine: Machine): Promise<void> {
  if (existsSync(kafka.archive)) return;
  const records = await firstRecords(kafka, machine, { secure: false });
  await aloneIn(lockOf(kafka), 'the release', machine.clock, async () => {
    if (!existsSync(kafka.archive)) await makeArchive(kafka, machine, records);
  });
}

async function makeArchive(kafka: Distribution, machine: Machine, records: string): Promise<void> {
  machine.say('preparing a quick start of brokers (the first time only)');
  const broker = { id: 1, folder: mkdtempSync(join(kafka.folder, 'training-')) };
  const partly = `${kafka.archive}.part`;
  try {
    const [plain, controller] = (await freePorts(2)) as [number, number];
    const properties = serverProperties({
      ...broker,
      ports: { plain, controller },
      controllers: [controller],
      extra: [],
    });
    const clusterId = 'nodeflow-nodeflow-0000';
    formatBroker(broker, { properties, records, clusterId, directoryId: 'nodeflow-nodeflow-0001' });
    startBroker(broker, kafka, machine, { extra: [`-XX:ArchiveClassesAtExit=${partly}`] });
    await awaitServing([{ ...broker, port: plain }], 1, machine);
    await stopBrokers([broker], machine, { graceMs: DUMP_TIMEOUT_MS });
    if (existsSync(partly)) renameSync(partly, kafka.archive);
    else machine.say('this Java makes no archive of classes: brokers start slower');
  } finally {
    if (runningPid(broker) !== undefined) signal([broker], 'SIGKILL');
    for (const path of [broker.folder, partly]) rmSync(path, { recursive: true, force: true });
  }
}
