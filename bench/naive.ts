import avsc from 'avsc';
import { Step } from '../core/step.ts';
import { BatchBuilder } from '../log/batch.ts';
import { type Log, type LogProducer, partitionForKey } from '../log/log.ts';
import { AUCTION_SCHEMA, BID_SCHEMA, JOINED_SCHEMA, PARTITIONS, PRICE_LIMIT, PRICE_SCHEMA } from './bids.ts';
import { type ClientRecord, readClientRecords } from './naive-client.ts';

/**
 * The loop that a careful user of a Kafka client would write: an object with its own Buffers per record, avsc, a Map
 * as state, an `await` per record; batches out and a transaction every 100 ms, as the engine does. It reads and
 * writes the same log. Frozen: ratios are told against it.
 */
type Send = (topic: string, key: Buffer, value: Buffer, timestamp: number) => void;
type Handler = (record: ClientRecord, send: Send) => Promise<void>;

const COMMIT_MS = 100;
const WINDOW_MS = 10_000;

const bidType = avsc.Type.forSchema(BID_SCHEMA as unknown as avsc.Schema);
const priceType = avsc.Type.forSchema(PRICE_SCHEMA as unknown as avsc.Schema);
const auctionType = avsc.Type.forSchema(AUCTION_SCHEMA as unknown as avsc.Schema);
const joinedType = avsc.Type.forSchema(JOINED_SCHEMA as unknown as avsc.Schema);

function countHandler(): Handler {
  const counts = new Map<string, { count: number; timestamp: number }>();
  return async ({ key, timestamp }, send) => {
    const at = Number(timestamp);
    const start = at - (at % WINDOW_MS);
    const id = key!.toString() + '@' + start;
    const row = counts.get(id) ?? { count: 0, timestamp: 0 };
    row.count++;
    row.timestamp = Math.max(row.timestamp, at);
    counts.set(id, row);
    const windowKey = Buffer.alloc(key!.length + 8);
    key!.copy(windowKey);
    windowKey.writeBigInt64BE(BigInt(start), key!.length);
    const value = Buffer.alloc(8);
    value.writeBigInt64BE(BigInt(row.count));
    send('out', windowKey, value, row.timestamp);
    send('changelog', windowKey, value, row.timestamp);
  };
}

function joinHandler(): Handler {
  const table = new Map<string, { category: number }>();
  return async ({ topic, key, value, timestamp }, send) => {
    const id = key!.toString();
    if (topic === 'auctions') {
      table.set(id, auctionType.fromBuffer(value!) as { category: number });
      return;
    }
    const row = table.get(id);
    if (row === undefined) return;
    const { price } = bidType.fromBuffer(value!) as { price: number };
    send('out', key!, joinedType.toBuffer({ price, category: row.category }), Number(timestamp));
  };
}

const HANDLERS: { readonly [row: string]: () => Handler } = {
  a: () => async (record, send) => send('out', record.key!, record.value!, Number(record.timestamp)),
  b: () => async (record, send) => {
    const bid = bidType.fromBuffer(record.value!) as { price: number };
    if (bid.price < PRICE_LIMIT) send('out', record.key!, record.value!, Number(record.timestamp));
  },
  c: () => async (record, send) => {
    const bid = bidType.fromBuffer(record.value!) as { auction: number; price: number };
    const price = priceType.toBuffer({ auction: bid.auction, euros: bid.price / 100 });
    send('out', record.key!, price, Number(record.timestamp));
  },
  d: countHandler,
  e: joinHandler,
  f: () => async (record, send) => {
    const bid = JSON.parse(record.value!.toString()) as { price: number; auction: number };
    if (bid.price < PRICE_LIMIT && bid.auction >= 0) {
      send('out', record.key!, record.value!, Number(record.timestamp));
    }
  },
};

/** Reads the inputs to their end; topics named first are read first. Answers the records taken. */
export async function runNaive(log: Log, row: string, inputs: readonly string[]): Promise<number> {
  const handler = HANDLERS[row]!();
  const producer = await log.producer({ transactionalId: `naive-${row}` });
  const out = new NaiveOutput(producer);
  let records = 0;
  for (const topic of inputs) {
    const reader = log.reader({ isolation: 'committed' });
    const left = new Map<number, number>();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { start, stable } = await log.admin.bounds(topic, partition);
      reader.assign([{ topic, partition, position: start }]);
      left.set(partition, stable);
    }
    while (left.size > 0) {
      for (const fetched of await reader.fetch(100)) {
        for (const start of fetched.starts) {
          for (const record of readClientRecords(fetched.bytes, start, topic, fetched.partition)) {
            await handler(record, (...sent) => out.send(...sent));
            records++;
          }
        }
        fetched.release();
        if (fetched.next >= left.get(fetched.partition)!) left.delete(fetched.partition);
        if (out.due()) await out.commit();
      }
    }
    await reader.close();
  }
  await out.commit();
  await producer.close();
  return records;
}

interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly timestamp: number;
}

class NaiveOutput {
  readonly #producer: LogProducer;
  readonly #pending = new Map<string, Sent[]>();
  #last = performance.now();

  constructor(producer: LogProducer) {
    this.#producer = producer;
  }

  send(topic: string, key: Buffer, value: Buffer, timestamp: number): void {
    const partition = partitionForKey(key, 0, key.length, PARTITIONS);
    const name = `${topic}/${partition}`;
    const list = this.#pending.get(name) ?? [];
    list.push({ topic, partition, key, value, timestamp });
    this.#pending.set(name, list);
  }

  due(): boolean {
    return performance.now() - this.#last >= COMMIT_MS;
  }

  async commit(): Promise<void> {
    this.#last = performance.now();
    this.#producer.begin();
    for (const list of this.#pending.values()) await this.#append(list);
    this.#pending.clear();
    await this.#producer.commit();
  }

  async #append(list: readonly Sent[]): Promise<void> {
    const builder = new BatchBuilder(new Step());
    for (const { key, value, timestamp } of list) {
      builder.append(timestamp, key, 0, key.length, value, 0, value.length);
      if (builder.size > 262_144) await this.#flush(list[0]!, builder);
    }
    await this.#flush(list[0]!, builder);
  }

  async #flush(first: Sent, builder: BatchBuilder): Promise<void> {
    if (builder.count > 0) await this.#producer.append(first.topic, first.partition, builder.finish());
  }
}
