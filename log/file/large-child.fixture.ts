import { systemClock } from '../../core/clock.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder, BatchView } from '../batch.ts';
import { createFileLog } from './file.ts';

/** Commits one transaction of argv[3] bytes in folder argv[2], reads it back, prints `{records, peakRssBytes, ...}`. */
const [, , directory, sizeText] = process.argv as unknown as [string, string, string, string];
const size = Number(sizeText);
const log = await createFileLog({ directory, clock: systemClock });
await log.admin.create('large', { partitions: 2 });
const producer = await log.producer({ transactionalId: 'large', transactionTimeoutMs: 600_000 });
const step = new Step();
const builder = new BatchBuilder(step);
const value = Buffer.alloc(1000, 'v');
const key = Buffer.alloc(8);
let records = 0;
const started = performance.now();
producer.begin();
for (let bytes = 0, partition = 0; bytes < size; partition = 1 - partition) {
  while (builder.size < 256 << 10) {
    step.begin();
    key.writeDoubleBE(records++);
    builder.append(1000, key, 0, 8, value, 0, value.length);
    step.settle();
  }
  const batch = builder.finish();
  bytes += batch.length;
  await producer.append('large', partition, batch);
}
const before = await log.admin.bounds('large', 0);
await producer.commit();
const committedMs = performance.now() - started;
const reader = log.reader({ isolation: 'committed' });
reader.assign([0, 1].map((partition) => ({ topic: 'large', partition, position: 0 })));
const view = new BatchView();
let read = 0;
while (read < records) {
  for (const fetched of await reader.fetch(1000)) {
    for (let i = 0; i < fetched.starts.length; i++) {
      view.open(fetched.bytes, fetched.starts[i]!, fetched.ends[i]!, fetched);
      read += view.count;
    }
    fetched.release();
  }
}
await log.close();
const peakRssBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ records, read, stableBefore: before.stable, peakRssBytes, committedMs }));
