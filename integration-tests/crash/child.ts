import { openEngine, run } from '../../index.ts';
import type { ChildSettings } from './run-child.ts';
import { topology } from './topology.ts';

/** Runs the job in the given folder to its end, struck on the way where NODEFLOW_FAILPOINT says so. */
const [directory, chosen] = process.argv.slice(2) as [string, string];
const { workers, brokers, guarantee } = JSON.parse(chosen) as ChildSettings;
const engine = await openEngine({ directory, ...(brokers === undefined ? {} : { brokers }) });
const running = await run(topology, {
  engine,
  settings: {
    commitIntervalMs: 5,
    batchBytes: 8192,
    sliceRecords: 250,
    writeBackMs: 5,
    workers,
    guarantee,
    // of a cluster the place of a process that was killed is free only when its session is over
    ...(brokers === undefined ? { sessionTimeoutMs: 60_000 } : {}),
  },
  module: { url: new URL('./topology.ts', import.meta.url).href, name: 'topology' },
});
process.on('SIGTERM', () => void running.drain());
const { how, records } = await running.finished;
const { recordsByWorker } = running.progress();
const members = (await engine.log.admin.groups()).flatMap((group) => group.members);
await engine.close();
console.log(JSON.stringify({ how, records, recordsByWorker, members }));
