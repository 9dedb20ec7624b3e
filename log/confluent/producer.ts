import { recycle } from '../../core/buffer-pool.ts';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import type { PlainRecord } from '../batch.ts';
import { checkMetadata, closedProducer, misuse, type Positions } from '../clients/producing.ts';
import { Unpacker } from '../clients/records.ts';
import { failureOf } from '../kafka/error-codes.ts';
import type { GroupIdentity, LogAdmin, LogProducer } from '../log.ts';
import { finalFailure } from './failures.ts';
import { type Config, call, type DeliveryReport, type LibraryError, type LibraryProducer } from './library.ts';
import type { ConfluentMembers } from './members.ts';
import type { Shared } from './shared.ts';

/** The records of an append follow one another within microseconds; they should lie in one batch. */
const LINGER_MS: Millis = 1;
const NO_RIGHTS = 31;
/** So often it is looked for what a producer says by itself, ever less often: a fifth of a second in all. */
const REASON_WAITS = 20;
/** One record may be as large; what a topic takes its brokers say. */
const LARGEST_RECORD_BYTES = 64 << 20;
const QUEUE_KIB = 1 << 20;

export interface ProducerParts {
  readonly shared: Shared;
  readonly admin: LogAdmin;
  readonly members: ConfluentMembers;
  /** Names of partitions that were there when they were last looked for; the library waits long for any other. */
  readonly known: Set<string>;
}

/** An append whose records are with the library. */
class Pending {
  readonly done: Promise<Position>;
  #left: number;
  #first = -1;
  #failure: LibraryError | undefined;
  #resolve: (position: Position) => void = () => undefined;
  #reject: (failure: LibraryError) => void = () => undefined;

  constructor(count: number) {
    this.#left = count;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Of one record: the first to come back is the first that was given. */
  report(failure: LibraryError | null | undefined, { offset }: DeliveryReport): void {
    if (failure) this.#failure ??= failure;
    else if (this.#first < 0) this.#first = offset;
    if (--this.#left > 0) return;
    if (this.#failure === undefined) this.#resolve(this.#first);
    else this.#reject(this.#failure);
  }
}

/** Opens and connects a producer of the library. */
export async function openLibraryProducer(shared: Shared, config: Config = {}): Promise<LibraryProducer> {
  const producer = new shared.library.Producer(
    {
      ...shared.config,
      'enable.idempotence': true,
      'linger.ms': LINGER_MS,
      'batch.num.messages': 1_000_000,
      'message.max.bytes': LARGEST_RECORD_BYTES,
      'queue.buffering.max.messages': 0,
      'queue.buffering.max.kbytes': QUEUE_KIB,
      'message.timeout.ms': shared.patienceMs,
      dr_cb: true,
      ...config,
    },
    {},
  );
  producer.on('delivery-report', (failure, report) => (report.opaque as Pending).report(failure, report));
  await shared.connect(producer);
  producer.setPollInBackground(true);
  return producer;
}

/** Gives records to the library one by one, and hears of each. */
export class Appends {
  readonly #parts: ProducerParts;
  readonly #unpacker = new Unpacker();

  constructor(parts: ProducerParts) {
    this.#parts = parts;
  }

  /** `library` is asked for once the partition is known to be there. */
  async append(
    topic: string,
    partition: number,
    batch: Bytes,
    library: () => LibraryProducer | Promise<LibraryProducer>,
  ): Promise<Position> {
    const { records } = this.#unpacker.open(batch, { topic, partition });
    const name = partitionName(topic, partition);
    const what = `the append to ${name}`;
    const { known, admin } = this.#parts;
    if (!known.has(name)) {
      await admin.bounds(topic, partition);
      known.add(name);
    }
    try {
      const pending = new Pending(records.length);
      const producer = await library();
      for (const record of records) give(producer, topic, partition, record, pending);
      const position = await pending.done;
      recycle(batch);
      return position;
    } catch (thrown) {
      known.delete(name);
      const failure = finalFailure(thrown, what);
      if (failure.code === 'log.oversize') throw await this.#oversize(topic, name, batch.length, thrown);
      if (failure.code !== 'log.timeout') throw failure;
      // the library waits for a topic that has gone until its patience ends
      if ((await admin.describe(topic)) !== undefined) throw failure;
      throw new FlowError('topic.missing', `topic ${topic} does not exist; create it, or check its name`);
    }
  }

  async #oversize(topic: string, name: string, size: number, cause: unknown): Promise<FlowError> {
    const limit = (await this.#parts.admin.describe(topic))?.settings.maxMessageBytes;
    return new FlowError(
      'log.oversize',
      `a batch of ${size} bytes for ${name} is over the topic's limit of ${limit}; ` +
        'raise max.message.bytes, or write smaller batches',
      { cause },
    );
  }
}

function give(
  producer: LibraryProducer,
  topic: string,
  partition: number,
  { key, value, timestamp, headers }: PlainRecord,
  pending: Pending,
): void {
  // The library has no word for a header without value.
  const named = headers.map((header) => ({ [header.name]: header.value ?? Buffer.of() }));
  producer.produce(topic, partition, value, key, timestamp, pending, named.length === 0 ? undefined : named);
}

/** Writes outside of transactions. */
export class PlainProducer implements LogProducer {
  readonly #parts: ProducerParts;
  readonly #appends: Appends;
  readonly #producer: LibraryProducer;
  #closed = false;

  constructor(parts: ProducerParts, producer: LibraryProducer) {
    this.#parts = parts;
    this.#producer = producer;
    this.#appends = new Appends(parts);
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    this.#check();
    try {
      return await this.#appends.append(topic, partition, batch, () => this.#producer);
    } catch (thrown) {
      const mayBeRefused = isFlowError(thrown, 'log.timeout') || isFlowError(thrown, 'log.aborted');
      if (!mayBeRefused || !(await this.#isRefused())) throw thrown;
      throw failureOf(NO_RIGHTS, `a producer id for the append to ${partitionName(topic, partition)}`);
    }
  }

  /** A producer that was refused its id writes nothing any more: it says why by itself, behind the first failure. */
  async #isRefused(): Promise<boolean> {
    const { clock } = this.#parts.shared;
    for (let waits = 0; this.#producer.lastError === undefined && waits < REASON_WAITS; waits++) {
      await clock.sleep(waits);
    }
    return /authorization failed/i.test(this.#producer.lastError?.message ?? '');
  }

  begin(): void {
    throw misuse('begin needs a producer with a transactionalId');
  }

  async sendPositions(member: GroupIdentity, positions: Positions): Promise<void> {
    this.#check();
    checkMetadata(positions);
    if (positions.length === 0) return;
    try {
      await this.#parts.members.holder(member).store(placed(positions));
    } catch (thrown) {
      throw finalFailure(thrown, `positions of group ${member.group}`);
    }
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
    await call<unknown>((done) => this.#producer.disconnect(done)).catch(() => undefined);
  }

  #check(): void {
    this.#parts.shared.check();
    if (this.#closed) throw closedProducer('without a transactional id');
  }
}

export function placed(positions: Positions) {
  return positions.map(({ topic, partition, position, metadata }) => ({
    topic,
    partition,
    offset: position,
    metadata,
  }));
}
