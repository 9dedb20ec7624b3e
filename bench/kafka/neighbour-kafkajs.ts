import { LOT, type Loop, type NeighbourJob } from './neighbour-loop.ts';
import { loadNeighbour } from './neighbours.ts';

/** What of KafkaJS, and of Confluent's client in its likeness, the loop uses. */
interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly offset: string;
}

interface Batch {
  readonly partition: number;
  readonly messages: readonly Message[];
}

interface Payload {
  readonly batch: Batch;
  heartbeat(): Promise<void>;
}

interface KafkaJsConsumer {
  connect(): Promise<void>;
  subscribe(options: object): Promise<void>;
  run(options: { eachBatch(payload: Payload): Promise<void> } & object): Promise<void>;
  commitOffsets(offsets: readonly object[]): Promise<void>;
  disconnect(): Promise<void>;
}

interface KafkaJsProducer {
  connect(): Promise<void>;
  send(record: object): Promise<unknown>;
  disconnect(): Promise<void>;
}

interface Clients {
  readonly consumer: KafkaJsConsumer;
  readonly producer: KafkaJsProducer;
  /** Options of each subscription, run and send, where the two differ. */
  readonly subscribe: object;
  readonly run: object;
  readonly send: object;
}

const FETCH = 4 * 1024 * 1024;

export const runKafkaJs: Loop = async (progress) => {
  const { job } = progress;
  const { consumer, producer, ...options } = job.client === 'kafkajs' ? kafkaJs(job) : confluent(job);
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: [job.in], ...options.subscribe });
  const offsets = new Map<number, string>();
  await new Promise<void>((resolve, reject) => {
    // what one fetch brought of a partition may be more than a session lasts
    const eachBatch = async ({ batch, heartbeat }: Payload) => {
      const { partition } = batch;
      for (let first = 0; first < batch.messages.length; first += LOT) {
        const lot = batch.messages.slice(first, first + LOT);
        const messages = lot.map(({ key, value, timestamp }) => ({ key, value, timestamp, partition }));
        await producer.send({ topic: job.out, messages, ...options.send });
        await heartbeat();
        offsets.set(partition, String(BigInt(lot.at(-1)!.offset) + 1n));
        const last = progress.took(lot.length);
        if (progress.commitDue) {
          await consumer.commitOffsets([...offsets].map(([place, offset]) => ({ ...at(job, place), offset })));
        }
        if (last) resolve();
      }
    };
    consumer.run({ ...options.run, eachBatch }).catch(reject);
  });
  return async () => {
    await consumer.disconnect();
    await producer.disconnect();
  };
};

const at = (job: NeighbourJob, partition: number) => ({ topic: job.in, partition });

/** It has no LZ4 of its own, so it writes uncompressed, and is spared the compressor. */
function kafkaJs(job: NeighbourJob): Clients {
  const { Kafka, logLevel } = loadNeighbour<{
    Kafka: new (
      options: object,
    ) => { consumer(options: object): KafkaJsConsumer; producer(options?: object): KafkaJsProducer };
    logLevel: { readonly ERROR: number };
  }>(job.folder, 'kafkajs');
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  const kafka = new Kafka({ clientId: job.application, brokers: [job.brokers], logLevel: logLevel.ERROR });
  return {
    consumer: kafka.consumer({ groupId: job.application, maxBytesPerPartition: FETCH, maxWaitTimeInMs: 100 }),
    producer: kafka.producer(),
    subscribe: { fromBeginning: true },
    run: { autoCommit: false, eachBatchAutoResolve: true },
    send: { acks: -1 },
  };
}

function confluent(job: NeighbourJob): Clients {
  const { KafkaJS } = loadNeighbour<{
    KafkaJS: {
      readonly Kafka: new (
        options: object,
      ) => { consumer(options: object): KafkaJsConsumer; producer(options: object): KafkaJsProducer };
      readonly logLevel: { readonly ERROR: number };
    };
  }>(job.folder, '@confluentinc/kafka-javascript');
  const { Kafka, logLevel } = KafkaJS;
  const common = { clientId: job.application, brokers: [job.brokers], logLevel: logLevel.ERROR };
  const kafka = new Kafka({ kafkaJS: common });
  return {
    consumer: kafka.consumer({
      kafkaJS: { groupId: job.application, fromBeginning: true, autoCommit: false },
      'js.consumer.max.batch.size': LOT,
      'fetch.message.max.bytes': FETCH,
      'queued.max.messages.kbytes': 65_536,
    }),
    producer: kafka.producer({
      kafkaJS: { acks: -1 },
      'compression.type': job.compression,
      'linger.ms': 5,
      'batch.num.messages': 2 * LOT,
      'queue.buffering.max.messages': 10 * LOT,
    }),
    subscribe: {},
    run: { eachBatchAutoResolve: true },
    send: {},
  };
}
