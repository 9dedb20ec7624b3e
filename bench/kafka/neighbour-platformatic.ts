import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka';
import { LOT, type Loop } from './neighbour-loop.ts';

export const runPlatformatic: Loop = async (progress) => {
  const { job } = progress;
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
  let lot: Parameters<typeof producer.send>[0]['messages'] = [];
  const offsets = new Map<number, bigint>();
  let left = job.records;
  for await (const message of stream) {
    const { key, value, partition, timestamp } = message;
    lot.push({ topic: job.out, key, value, partition, timestamp });
    offsets.set(partition, message.offset);
    if (lot.length < LOT && lot.length < left) continue;
    const messages = lot;
    lot = [];
    left -= messages.length;
    await producer.send({ messages, acks: ProduceAcks.ALL, compression: job.compression });
    const last = progress.took(messages.length);
    if (progress.commitDue) {
      const positions = [...offsets].map(([place, offset]) => ({
        ...{ topic: job.in, partition: place, offset: offset + 1n, leaderEpoch: 0 },
      }));
      await consumer.commit({ offsets: positions });
    }
    if (last) break;
  }
  return async () => {
    await consumer.close(true);
    await producer.close();
  };
};
