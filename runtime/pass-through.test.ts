import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../core/bytes.ts';
import { Step } from '../core/step.ts';
import { int64, openEngine, run, string, topic, topology } from '../index.ts';
import { BatchBuilder, batchHeader } from '../log/batch.ts';
import type { Log, TopicSettings } from '../log/log.ts';

/** A stage that copies a topic to another, and what its batches are in the end. */
const RECORDS = 3000;
const of = (name: string) => topic(name, { key: string(), value: int64(), partitions: 1 });
const [from, to] = [of('from'), of('to')];
const app = topology('copier');
app.stream(from).to(to);

/** One batch, of some 60 KB, as somebody else wrote it. */
async function fill(log: Log): Promise<void> {
  const step = new Step();
  const builder = new BatchBuilder(step);
  const out = new ByteWriter();
  step.begin();
  for (let n = 0; n < RECORDS; n++) {
    out.clear();
    from.keySerde.encode(`key-${n}`, out);
    const middle = out.at;
    from.valueSerde.encode(n, out);
    builder.append(n, out.bytes, 0, middle, out.bytes, middle, out.at);
  }
  step.settle();
  const producer = await log.producer({});
  await producer.append(from.name, 0, Buffer.from(builder.finish()));
  await producer.close();
}

interface Batch {
  readonly bytes: number;
  readonly records: number;
}

async function copied(settings: Omit<TopicSettings, 'partitions'>, more = {}): Promise<{ from: Batch[]; to: Batch[] }> {
  const engine = await openEngine({ log: 'memory' });
  try {
    await engine.log.admin.create(from.name, { partitions: 1 });
    await engine.log.admin.create(to.name, { partitions: 1, ...settings });
    await fill(engine.log);
    await (await run(app, { engine, settings: { until: 'end', ...more } })).finished;
    return { from: await batchesOf(engine.log, from.name), to: await batchesOf(engine.log, to.name) };
  } finally {
    await engine.close();
  }
}

async function batchesOf(log: Log, name: string): Promise<Batch[]> {
  const reader = log.reader({ isolation: 'committed' });
  const { end } = await log.admin.bounds(name, 0);
  reader.assign([{ topic: name, partition: 0, position: 0 }]);
  const batches: Batch[] = [];
  for (let next = 0; next < end; ) {
    for (const fetched of await reader.fetch(100)) {
      for (const [b, start] of fetched.starts.entries()) {
        batches.push({ bytes: fetched.ends[b]! - start, records: batchHeader(fetched.bytes, start).count });
      }
      next = fetched.next;
      fetched.release();
    }
  }
  await reader.close();
  return batches;
}

const recordsOf = (batches: readonly Batch[]) => batches.reduce((sum, { records }) => sum + records, 0);

test('a batch that nobody looks into passes whole', async () => {
  const found = await copied({});
  assert.deepEqual(found.to, found.from);
  assert.equal(found.to.length, 1);
});

test('one that is larger than the target takes is packed anew', async () => {
  const maxMessageBytes = 40_000;
  const found = await copied({ maxMessageBytes });
  assert.equal(recordsOf(found.to), RECORDS);
  assert.ok(found.from[0]!.bytes > maxMessageBytes);
  for (const { bytes } of found.to) assert.ok(bytes <= maxMessageBytes, `a batch of ${bytes} bytes`);
});

test('one for a compacted topic is packed anew, so that each of its records is looked at', async () => {
  const found = await copied({ cleanup: 'compact' }, { batchBytes: 20_000 });
  assert.equal(recordsOf(found.to), RECORDS);
  assert.ok(found.to.length > 1);
});
