import { once } from 'node:events';
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka';
import type { EngineJob } from './engine-main.ts';

/**
 * Row `pass` as a loop over a client for Node, at least once: what one writes without an engine. Takes and says what
 * `engine-main.ts` does. Messages are sent in lots, and positions committed behind each, as often as commits are due.
 */
const job = JSON.parse(process.argv[2]!) as EngineJob;
const LOT = 5000;

const client = { clientId: job.application, bootstrapBrokers: [job.brokers] };
const producer = new Producer<Buffer, Buffer, Buffer, Buffer>(client);
const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({ ...client, groupId: job.application });
const stream = await consumer.consume({
  topics: [job.in],
  mode: MessagesStreamModes.EARLIEST,
  autocommit: false,
  maxBytesPerPartition: 4 * 1024 * 1024,
  maxBytes: 16 * 1024 * 1024,
  maxWaitTime: 100,
  highWaterMark: 4 * LOT,
});

type Sent = Parameters<typeof producer.send>[0]['messages'];
let lot: Sent = [];
const offsets = new Map<number, bigint>();
let taken = 0;
let marked = false;
let lastCommit = performance.now();

async function send(): Promise<void> {
  const messages = lot;
  lot = [];
  await producer.send({ messages, acks: ProduceAcks.ALL, compression: job.compression });
}

async function commit(): Promise<void> {
  lastCommit = performance.now();
  const positions = [...offsets].map(([partition, offset]) => ({
    topic: job.in,
    partition,
    offset: offset + 1n,
    leaderEpoch: 0,
  }));
  await consumer.commit({ offsets: positions });
}

const say = (at: 'mark' | 'end') => console.log(JSON.stringify({ at, records: taken }));

for await (const message of stream) {
  const { key, value, partition, timestamp } = message;
  lot.push({ topic: job.out, key, value, partition, timestamp });
  offsets.set(partition, message.offset);
  taken++;
  if (lot.length >= LOT || taken === job.records) {
    await send();
    if (taken === job.records || performance.now() - lastCommit > job.commitIntervalMs) await commit();
  }
  if (!marked && taken >= job.warm) {
    marked = true;
    say('mark');
  }
  if (taken === job.records) break;
}
say('end');
process.stdin.resume();
await once(process.stdin, 'end');
await consumer.close(true);
await producer.close();
