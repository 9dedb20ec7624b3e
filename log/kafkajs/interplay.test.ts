import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Bytes } from '../../core/bytes.ts';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { testBrokers } from '../../integration-tests/support/brokers.ts';
import {
  BatchBuilder,
  BatchView,
  CODEC,
  type Compression,
  compressBatch,
  encodeHeaders,
  readHeaders,
} from '../batch.ts';
import { batch } from '../conformance/bench.conformance.ts';
import { createKafkaLog } from '../kafka/kafka.ts';
import type { Log } from '../log.ts';
import { createKafkaJsLog } from './kafkajs.ts';

const brokers = await testBrokers();
const clock = systemClock;
const name = (text: string) => `i${process.pid}-${clock.now()}-${text}`;

if (brokers !== undefined) {
  const options = { brokers: brokers.addresses.brokers, clock, random: seededRandom(1) };
  const [ours, theirs] = await Promise.all([createKafkaLog(options), createKafkaJsLog(options)]);
  after(async () => {
    await Promise.all([ours.close(), theirs.close()]);
    await brokers.close();
  });

  for (const compression of ['none', 'lz4', 'zstd'] satisfies Compression[]) {
    test(`each driver reads what the other wrote, compressed with ${compression}`, async () => {
      for (const [writer, reader] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const topic = name(`${compression}-${writer.capabilities.driver}`);
        await writer.admin.create(topic, { partitions: 1 });
        const producer = await writer.producer({});
        await producer.append(topic, 0, compressBatch(batch(`a=${'x'.repeat(500)}`, 'b=2'), compression));
        assert.deepEqual((await readAll(reader, topic, 2)).values, ['x'.repeat(500), '2']);
        assert.equal((await readAll(ours, topic, 2)).codec, CODEC[compression], 'compressed as it was given');
        await producer.close();
      }
    });
  }

  test('times and headers of records are kept both ways', async () => {
    const topic = name('headers');
    await theirs.admin.create(topic, { partitions: 1 });
    const producer = await theirs.producer({});
    const headers = [
      { name: 'trace', value: Buffer.from('one') },
      { name: 'trace', value: Buffer.from('two') },
      { name: 'kind', value: Buffer.of(0, 255) },
    ];
    await producer.append(topic, 0, withHeaders(1234, headers));
    for (const log of [ours, theirs]) {
      const reader = log.reader({ isolation: 'committed' });
      reader.assign([{ topic, partition: 0, position: 0 }]);
      const [fetched] = await reader.fetch(60_000);
      const view = new BatchView();
      view.open(fetched!.bytes, fetched!.starts[0]!, fetched!.ends[0]!, fetched!);
      assert.equal(view.timestamps[0], 1234);
      assert.deepEqual(readHeaders(view.bytes, view.headerStarts[0]!, view.bodyEnds[0]!), headers);
      await reader.close();
    }
    await producer.close();
  });
}

function withHeaders(timestamp: number, headers: Parameters<typeof encodeHeaders>[0]): Bytes {
  const step = new Step();
  step.begin();
  const builder = new BatchBuilder(step);
  const raw = encodeHeaders(headers);
  builder.appendWithHeaders(timestamp, Buffer.from('k'), 0, 1, Buffer.from('v'), 0, 1, raw, 0, raw.length);
  step.settle();
  return builder.finish();
}

async function readAll(log: Log, topic: string, count: number) {
  const reader = log.reader({ isolation: 'committed' });
  reader.assign([{ topic, partition: 0, position: 0 }]);
  const values: string[] = [];
  const view = new BatchView();
  for (let tries = 0; values.length < count && tries < 200; tries++) {
    for (const fetched of await reader.fetch(1000)) {
      for (let i = 0; i < fetched.starts.length; i++) {
        view.open(fetched.bytes, fetched.starts[i]!, fetched.ends[i]!, fetched);
        for (let r = 0; r < view.count; r++) {
          values.push(view.bytes.toString('utf8', view.valueStarts[r]!, view.valueEnds[r]!));
        }
      }
      fetched.release();
    }
  }
  await reader.close();
  return { values, codec: view.codec };
}
