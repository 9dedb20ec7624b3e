import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { HeaderPair } from '../batch.ts';
import { Packer, type PlacedRecord } from '../clients/records.ts';
import { Stale } from '../kafka/error-codes.ts';
import type { Fetched, LogAdmin, LogReader, ReaderOptions } from '../log.ts';
import { CODES, failureOfLibrary } from './failures.ts';
import { call, type LibraryConsumer, type LibraryError, type LibraryMessage } from './library.ts';
import type { Shared } from './shared.ts';

const DEFAULT_FETCH_BYTES = 1 << 20;
/** Records of one answer. */
const MOST_RECORDS = 10_000;
/** The library waits for records in a thread of Node's pool, of which there are four: never for long. */
const WAIT_MS: Millis = 20;
/** A partition that was just assigned is waited for at most so long, even where the caller would not wait. */
const FIRST_ANSWER_MS: Millis = 5000;
/** What the library holds ready of each partition, in KiB. */
const QUEUED_KIB = 4096;

/** A partition from the position it was assigned at; another assignment of it is another object. */
class Assigned implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  position: Position;
  paused = false;
  /** Its position was inside of the partition. */
  checked = false;
  /** The library has it. */
  given = false;
  /** Records are there that have not come yet. */
  behind = true;
  failure: FlowError | undefined;
  /** What came while it was paused. */
  ready: Fetched | undefined;

  constructor({ topic, partition, position }: TopicPartition & { readonly position: Position }) {
    this.topic = topic;
    this.partition = partition;
    this.name = partitionName(topic, partition);
    this.position = position;
  }
}

/** Reads by a consumer of the library that belongs to no group: partitions and positions are given to it. */
export class ConfluentReader implements LogReader {
  readonly #shared: Shared;
  readonly #admin: LogAdmin;
  readonly #options: ReaderOptions;
  readonly #onClose: () => void;
  readonly #assigned = new Map<string, Assigned>();
  readonly #packer = new Packer();
  readonly #ends = new Map<string, Position>();
  #consumer: Promise<LibraryConsumer> | undefined;
  #library: LibraryConsumer | undefined;
  /** What the library was given is not what is assigned. */
  #changed = false;
  #fetching: Promise<readonly Fetched[]> | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(shared: Shared, admin: LogAdmin, options: ReaderOptions, onClose: () => void) {
    this.#shared = shared;
    this.#admin = admin;
    this.#options = options;
    this.#onClose = onClose;
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const wanted of partitions) {
      const assigned = new Assigned(wanted);
      assigned.paused = this.#assigned.get(assigned.name)?.paused ?? false;
      this.#assigned.set(assigned.name, assigned);
    }
    this.#change();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(partitionName(topic, partition));
    this.#change();
  }

  pause(partition: TopicPartition): void {
    this.#pause(partition, true);
  }

  resume(partition: TopicPartition): void {
    this.#pause(partition, false);
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
    this.#shared.check();
    if (this.#fetching) throw new FlowError('log.unsupported', 'a reader fetches one call at a time; await the first');
    this.#fetching = this.#fetch(maxWaitMs, signal);
    try {
      return await this.#fetching;
    } finally {
      this.#fetching = undefined;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#assigned.clear();
    this.#onClose();
    this.#wake?.();
    await this.#fetching?.catch(() => undefined);
    const consumer = await this.#consumer?.catch(() => undefined);
    if (consumer?.isConnected()) await call((done) => consumer.disconnect(done)).catch(() => undefined);
  }

  #change(): void {
    this.#changed = true;
    this.#wake?.();
  }

  #pause({ topic, partition }: TopicPartition, paused: boolean): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined || assigned.paused === paused) return;
    assigned.paused = paused;
    if (assigned.given) this.#library?.[paused ? 'pause' : 'resume']([{ topic, partition }]);
    this.#wake?.();
  }

  async #fetch(maxWaitMs: Millis, signal: AbortSignal | undefined): Promise<readonly Fetched[]> {
    const { clock } = this.#shared;
    const began = clock.monotonic();
    for (;;) {
      if (this.#closed || signal?.aborted) return [];
      const all = [...this.#assigned.values()];
      const active = all.filter(({ paused }) => !paused);
      for (const { failure } of active) if (failure !== undefined) throw failure;
      if (this.#changed) {
        await this.#apply(all);
        continue;
      }
      const held = active.flatMap(take);
      if (held.length > 0) return held;
      if (active.length > 0) await this.#consume(all);
      const found = active.filter(({ paused }) => !paused).flatMap(take);
      if (found.length > 0) return found;
      const awaitsFirst = active.some(({ behind }) => behind);
      const left = began + (awaitsFirst ? Math.max(maxWaitMs, FIRST_ANSWER_MS) : maxWaitMs) - clock.monotonic();
      if (left <= 0) return [];
      if (active.length === 0) await this.#wait(left, signal);
    }
  }

  /** Gives the library what is read now, each partition from its position, which must lie inside. */
  async #apply(all: readonly Assigned[]): Promise<void> {
    this.#changed = false;
    await Promise.all(all.filter(({ checked }) => !checked).map((assigned) => this.#look(assigned)));
    const consumer = await this.#connected();
    if (this.#changed || this.#closed) return;
    const good = all.filter(({ failure }) => failure === undefined);
    consumer.assign(good.map(({ topic, partition, position }) => ({ topic, partition, offset: position })));
    for (const assigned of good) assigned.given = true;
    const paused = good.filter((assigned) => assigned.paused).map(({ topic, partition }) => ({ topic, partition }));
    if (paused.length > 0) consumer.pause(paused);
  }

  async #look(assigned: Assigned): Promise<void> {
    const { topic, partition, position, name } = assigned;
    try {
      const { start, stable, end } = await this.#admin.bounds(topic, partition);
      if (position < start || position > end) {
        throw new FlowError(
          'log.range',
          `position ${position} of ${name} is outside of ${start} to ${end}; ` +
            'reset the position, retention may have removed it',
        );
      }
      assigned.checked = true;
      assigned.behind = position < (this.#options.isolation === 'committed' ? stable : end);
    } catch (thrown) {
      if (!(thrown instanceof FlowError)) throw thrown;
      assigned.failure = thrown;
    }
  }

  async #consume(all: readonly Assigned[]): Promise<void> {
    const consumer = await this.#connected();
    let messages: readonly LibraryMessage[];
    this.#ends.clear();
    try {
      messages = await call<readonly LibraryMessage[]>((done) => consumer.consume(MOST_RECORDS, done));
    } catch (thrown) {
      this.#failed(thrown, all);
      await this.#shared.clock.sleep(WAIT_MS, this.#shared.closing);
      return;
    }
    // An assignment that changed meanwhile begins where we stand.
    if (this.#closed || this.#changed) return;
    const byPartition = Map.groupBy(messages, ({ topic, partition }) => partitionName(topic, partition));
    for (const assigned of all) this.#came(consumer, assigned, byPartition.get(assigned.name) ?? []);
  }

  #came(consumer: LibraryConsumer, assigned: Assigned, messages: readonly LibraryMessage[]): void {
    const { topic, partition, position, name } = assigned;
    const end = this.#ends.get(name);
    const next = Math.max(end ?? 0, (messages.at(-1)?.offset ?? -1) + 1);
    if (end !== undefined) assigned.behind = false;
    if (next <= position) return;
    assigned.position = next;
    assigned.behind = false;
    const packed = this.#packer.packLoose(messages.map(recordOf));
    const high = end ?? Math.max(next, consumer.getWatermarkOffsets(topic, partition).highOffset);
    assigned.ready = { topic, partition, ...packed, position, next, end: high, release: () => undefined };
  }

  /** An error names no partition: all are looked at anew. */
  #failed(thrown: unknown, all: readonly Assigned[]): void {
    const failure = failureOfLibrary(thrown, `reading ${all.map(({ name }) => name).join(', ')}`);
    const outside = (thrown as LibraryError).code === CODES.offsetReset;
    if (failure instanceof FlowError && !outside && failure.code !== 'log.range') {
      for (const assigned of all) assigned.failure = failure;
    } else if (outside || (failure instanceof Stale && failure.errorCode > 0)) {
      for (const assigned of all) assigned.checked = false;
      this.#changed = true;
    }
  }

  #connected(): Promise<LibraryConsumer> {
    this.#consumer ??= this.#shared.connect(this.#open()).then(
      (consumer) => {
        this.#library = consumer;
        return consumer;
      },
      (thrown: unknown) => {
        this.#consumer = undefined;
        throw thrown;
      },
    );
    return this.#consumer;
  }

  #open(): LibraryConsumer {
    const { library, config } = this.#shared;
    const { isolation, maxPartitionBytes } = this.#options;
    const consumer = new library.KafkaConsumer(
      {
        ...config,
        // It joins none, and commits nothing.
        'group.id': 'nodeflow-reader',
        'enable.auto.commit': false,
        'enable.auto.offset.store': false,
        'enable.partition.eof': true,
        'isolation.level': isolation === 'committed' ? 'read_committed' : 'read_uncommitted',
        'max.partition.fetch.bytes': maxPartitionBytes ?? DEFAULT_FETCH_BYTES,
        'queued.max.messages.kbytes': QUEUED_KIB,
        'fetch.wait.max.ms': 100,
        'fetch.error.backoff.ms': 50,
        'check.crcs': true,
      },
      { 'auto.offset.reset': 'error' },
    );
    consumer.setDefaultConsumeTimeout(WAIT_MS);
    consumer.setDefaultIsTimeoutOnlyForFirstMessage(true);
    consumer.on('partition.eof', ({ topic, partition, offset }) => {
      this.#ends.set(partitionName(topic, partition), offset);
    });
    return consumer;
  }

  async #wait(ms: Millis, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const wake = () => stop.abort();
    this.#wake = wake;
    signal?.addEventListener('abort', wake, { once: true });
    await this.#shared.clock.sleep(ms, stop.signal);
    signal?.removeEventListener('abort', wake);
    this.#wake = undefined;
  }
}

function take(assigned: Assigned): Fetched[] {
  const { ready } = assigned;
  if (ready === undefined) return [];
  assigned.ready = undefined;
  return [ready];
}

function recordOf({ offset, timestamp, key, value, headers }: LibraryMessage): PlacedRecord {
  return { position: offset, timestamp: timestamp ?? 0, key: key ?? null, value, headers: pairsOf(headers ?? []) };
}

function pairsOf(headers: readonly Readonly<Record<string, Buffer>>[]): readonly HeaderPair[] {
  return headers.flatMap((header) =>
    Object.entries(header).map(([name, value]) => ({ name, value: value as Buffer<ArrayBuffer> })),
  );
}
