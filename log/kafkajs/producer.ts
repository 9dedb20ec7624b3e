import { recycle } from '../../core/buffer-pool.ts';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import { CODEC, type PlainRecord } from '../batch.ts';
import type { Members } from '../clients/members.ts';
import { checkMetadata, closedProducer, misuse, type Positions } from '../clients/producing.ts';
import { Unpacker } from '../clients/records.ts';
import { Turns } from '../clients/turns.ts';
import { Stale } from '../kafka/error-codes.ts';
import type { GroupIdentity, LogProducer } from '../log.ts';
import type { Brokers, Shared } from './brokers.ts';
import { codeOf, failureOfLibrary } from './failures.ts';
import { storePositions } from './group-admin.ts';
import type { LibraryMessage, LibraryProducer, LibraryTransaction } from './library.ts';

const FIRST_RETRY_MS: Millis = 50;
const LONGEST_RETRY_MS: Millis = 1000;
const CONCURRENT_TRANSACTIONS = 51;
/** The markers of the transaction before are written within milliseconds; so often it is asked again. */
const SHORT_WAITS = 40;

export interface ProducerParts {
  readonly shared: Shared;
  readonly brokers: Brokers;
  readonly members: Members;
  /** The largest batch that a topic takes. */
  limitOf(topic: string): Promise<number | undefined>;
}

/** A producer of the library that retries for as long as our patience is. */
export function openLibraryProducer(
  { client, patienceMs }: Shared,
  options: { readonly transactionalId?: string; readonly transactionTimeout?: Millis } = {},
): LibraryProducer {
  const retries = Math.ceil(patienceMs / LONGEST_RETRY_MS) + 5;
  return client().producer({
    ...options,
    idempotent: options.transactionalId === undefined,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition!,
    retry: { retries, initialRetryTime: FIRST_RETRY_MS, maxRetryTime: LONGEST_RETRY_MS },
  });
}

/** Appends through the library: the records of one batch are one request, and one batch again in the log. */
export class Appends {
  readonly #parts: ProducerParts;
  readonly #turns = new Turns();
  readonly #unpacker = new Unpacker();

  constructor(parts: ProducerParts) {
    this.#parts = parts;
  }

  /** `send` is asked for when its turn has come, since a producer may have been replaced meanwhile. */
  append(
    topic: string,
    partition: number,
    batch: Bytes,
    sender: () => Promise<Pick<LibraryTransaction, 'send'>>,
  ): Promise<Position> {
    const { records, codec } = this.#unpacker.open(batch, { topic, partition });
    return this.#turns.next(partitionName(topic, partition), async () => {
      const position = await this.#send(topic, partition, records, codec, batch.length, sender);
      recycle(batch);
      return position;
    });
  }

  async #send(
    topic: string,
    partition: number,
    records: readonly PlainRecord[],
    codec: number,
    size: number,
    sender: () => Promise<Pick<LibraryTransaction, 'send'>>,
  ): Promise<Position> {
    const { brokers } = this.#parts;
    const what = `the append to ${partitionName(topic, partition)}`;
    // The library drops records of a partition that it does not know, without a word.
    await brokers.ask(what, () => brokers.leader(topic, partition));
    try {
      const messages = records.map((record) => messageOf(record, partition));
      // Snappy is only read.
      const compression = codec === CODEC.snappy ? CODEC.none : codec;
      const answers = await unhurried(this.#parts.shared, async () =>
        (await sender()).send({ topic, messages, acks: -1, compression }),
      );
      const answer = answers.find((one) => one.topicName === topic && one.partition === partition);
      if (answer?.baseOffset === undefined) throw new FlowError('log.timeout', `${what} was not answered`);
      return Number(answer.baseOffset);
    } catch (thrown) {
      brokers.forget(topic);
      const failure = failureOfLibrary(thrown, what);
      if (failure instanceof Stale)
        throw new FlowError('log.timeout', `${what}: ${failure.message}`, { cause: thrown });
      if (failure.code !== 'log.oversize') throw failure;
      const limit = await this.#parts.limitOf(topic);
      throw new FlowError(
        'log.oversize',
        `a batch of ${size} bytes for ${partitionName(topic, partition)} is over the topic's limit of ${limit}; ` +
          'raise max.message.bytes, or write smaller batches',
        { cause: thrown },
      );
    }
  }
}

/** Asks again, after moments, while the transaction before is being completed. */
export async function unhurried<T>({ clock }: Shared, request: () => Promise<T>): Promise<T> {
  for (let waits = 0; ; waits++) {
    try {
      return await request();
    } catch (thrown) {
      if (codeOf(thrown) !== CONCURRENT_TRANSACTIONS || waits === SHORT_WAITS) throw thrown;
      await clock.sleep(1 + waits);
    }
  }
}

function messageOf({ key, value, timestamp, headers }: PlainRecord, partition: number): LibraryMessage {
  const message = { key, value, partition, timestamp: String(timestamp) };
  if (headers.length === 0) return message;
  const byName = Map.groupBy(headers, ({ name }) => name);
  // The library fails on a header without value.
  const named = [...byName].map(([name, pairs]) => [name, pairs.map((pair) => pair.value ?? Buffer.of())]);
  return { ...message, headers: Object.fromEntries(named) };
}

/** Writes outside of transactions. */
export class PlainProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #appends: Appends;
  #producer: Promise<LibraryProducer> | undefined;
  #closed = false;

  constructor(parts: ProducerParts) {
    this.#parts = parts;
    this.#appends = new Appends(parts);
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#check();
    try {
      return await this.#appends.append(topic, partition, batch, () => this.#connected());
    } catch (thrown) {
      // closed meanwhile, whatever the library makes of that
      this.#check();
      // Its next record would go under the number of the one given up, and could be taken for that one.
      if (thrown instanceof FlowError && thrown.code === 'log.timeout') await this.#drop();
      throw thrown;
    }
  }

  begin(): void {
    throw misuse('begin needs a producer with a transactionalId');
  }

  async sendPositions(member: GroupIdentity, positions: Positions): Promise<void> {
    this.#check();
    checkMetadata(positions);
    if (positions.length === 0) return;
    const { brokers, members } = this.#parts;
    const what = `positions of group ${member.group}`;
    await brokers.ask(what, async () => {
      for (const { topic, partition } of positions) await brokers.leader(topic, partition);
      const asked = members.current(member);
      try {
        await storePositions(brokers, asked, positions);
      } catch (thrown) {
        const failure = failureOfLibrary(thrown, what);
        const stale = failure instanceof FlowError && failure.code === 'log.generation';
        // Between two rounds of a rebalance no generation is accepted; the member's own is, once it knows it.
        if (stale && (await members.moved(member, asked))) throw new Stale(`group ${member.group} rebalances`, false);
        throw failure;
      }
    });
  }

  async commit(): Promise<void> {
    throw misuse('commit needs a producer with a transactionalId');
  }

  async abort(): Promise<void> {
    throw misuse('abort needs a producer with a transactionalId');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#drop();
  }

  #check(): void {
    this.#parts.brokers.check();
    if (this.#closed) throw closedProducer('without a transactional id');
  }

  async #connected(): Promise<LibraryProducer> {
    this.#check();
    this.#producer ??= this.#connect().catch((thrown: unknown) => {
      this.#producer = undefined;
      throw thrown;
    });
    return this.#producer;
  }

  async #connect(): Promise<LibraryProducer> {
    const producer = openLibraryProducer(this.#parts.shared);
    try {
      await producer.connect();
      return producer;
    } catch (thrown) {
      // it may be connected, and have no id
      await producer.disconnect().catch(() => undefined);
      throw thrown;
    }
  }

  async #drop(): Promise<void> {
    const before = this.#producer;
    this.#producer = undefined;
    await before?.then((producer) => producer.disconnect()).catch(() => undefined);
  }
}
