import { appendFileSync } from 'node:fs';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { failpointFromText, setFailpointHook } from '../../core/failpoints.ts';
import { batchAt } from '../conformance/bench.conformance.ts';
import { createFileLog, type FileLog } from './file.ts';

/**
 * Works on the log in folder argv[2] and writes to file argv[3] a line before each commit (`try n`) and after its
 * answer (`done n`), from number argv[4] on. Dies where NODEFLOW_FAILPOINT says.
 */
const [, , directory, report, from] = process.argv as unknown as [string, string, string, string, string];
const hook = failpointFromText(process.env['NODEFLOW_FAILPOINT'] ?? '');
setFailpointHook((name) => {
  if (process.env['NODEFLOW_FAILPOINT']?.startsWith(`${name}:`)) appendFileSync(report, `hit ${name}\n`);
  hook(name);
});
let serial = Number(from);
const log = await createFileLog({
  directory,
  clock: systemClock,
  options: { journalBytes: 20_000, embedBytes: 2000, maintainMs: 0 },
});
await createTopic(log, 'work', { partitions: 2, segmentBytes: 6000, cleanup: 'compact', deleteRetentionMs: 0 });
await createTopic(log, 'brief', { partitions: 1, segmentBytes: 1000, cleanup: 'delete', retentionMs: 1000 });
const producer = await log.producer({ transactionalId: 'child' });
const plain = await log.producer({});
for (let round = 0; round < 30; round++) {
  await transaction(log, round);
  await plain.append('brief', 0, batchAt(1000, `k=${'x'.repeat(400)}`));
  if (round % 10 === 9) {
    await log.maintain();
    await createTopic(log, 'gone', { partitions: 1 });
    await log.admin.delete('gone');
  }
}
await log.close();

async function transaction(open: FileLog, round: number): Promise<void> {
  const n = serial++;
  const size = round % 3 === 0 ? 1500 : 100;
  producer.begin();
  for (let partition = 0; partition < 2; partition++) {
    for (let part = 0; part < 2; part++) {
      const key = `${n}-${partition}-${part}`;
      await producer.append('work', partition, batchAt(1000, `${key}=${key}${'y'.repeat(size)}`));
    }
  }
  if (round % 7 === 6) {
    // What is aborted stands in a segment then, so that compaction has something to drop.
    await open.checkpoint();
    return await producer.abort();
  }
  appendFileSync(report, `try ${n}\n`);
  await producer.commit();
  appendFileSync(report, `done ${n}\n`);
}

async function createTopic(target: FileLog, topic: string, settings: Parameters<FileLog['admin']['create']>[1]) {
  try {
    await target.admin.create(topic, settings);
  } catch (thrown) {
    if (!isFlowError(thrown, 'topic.exists')) throw thrown;
  }
}
