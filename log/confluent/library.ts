import { createRequire } from 'node:module';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { Millis, TopicPartition } from '../../core/ids.ts';

/**
 * What the driver uses of the client library: its bindings of librdkafka with callbacks. Written down here, since the
 * package is not there where it was not chosen.
 */
export interface Library {
  readonly KafkaConsumer: new (config: Config, topicConfig: Config) => LibraryConsumer;
  readonly Producer: new (config: Config, topicConfig: Config) => LibraryProducer;
}

export type Config = Readonly<Record<string, unknown>>;
export type Done<T = void> = (failure: LibraryError | null | undefined, answer: T) => void;

export interface LibraryError extends Error {
  readonly code: number;
  readonly isFatal?: boolean;
  readonly isRetriable?: boolean;
  readonly isTxnRequiresAbort?: boolean;
}

export interface Placed extends TopicPartition {
  readonly offset?: number;
  readonly metadata?: string;
}

export interface LibraryMessage extends TopicPartition {
  readonly offset: number;
  readonly timestamp?: number;
  readonly key?: Bytes | null;
  readonly value: Bytes | null;
  readonly headers?: readonly Readonly<Record<string, Bytes>>[];
}

interface Client {
  /** What it last reported by itself, without the number that the broker gave. */
  readonly lastError?: Error;
  connect(options: { readonly timeout: Millis }, done: Done<unknown>): void;
  disconnect(done: Done<unknown>): void;
  isConnected(): boolean;
}

export interface LibraryConsumer extends Client {
  assign(partitions: readonly Placed[]): void;
  incrementalAssign(partitions: readonly Placed[]): void;
  incrementalUnassign(partitions: readonly Placed[]): void;
  unassign(): void;
  assignmentLost(): boolean;
  subscribe(topics: readonly string[]): void;
  unsubscribe(): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  consume(count: number, done: Done<readonly LibraryMessage[]>): void;
  setDefaultConsumeTimeout(ms: Millis): void;
  setDefaultIsTimeoutOnlyForFirstMessage(only: boolean): void;
  /** Answered through `offset_commit_cb`, while records are asked for. */
  commit(positions: readonly Placed[]): void;
  getWatermarkOffsets(topic: string, partition: number): { readonly highOffset: number };
  on(event: 'partition.eof', listener: (at: TopicPartition & { readonly offset: number }) => void): void;
  on(event: 'event.error', listener: (failure: LibraryError) => void): void;
}

export interface LibraryProducer extends Client {
  produce(
    topic: string,
    partition: number,
    value: Bytes | null,
    key: Bytes | null,
    timestamp: Millis,
    opaque: unknown,
    headers: readonly Readonly<Record<string, Bytes>>[] | undefined,
  ): unknown;
  setPollInBackground(on: boolean): void;
  initTransactions(timeoutMs: Millis, done: Done): void;
  beginTransaction(done: Done): void;
  commitTransaction(timeoutMs: Millis, done: Done): void;
  abortTransaction(timeoutMs: Millis, done: Done): void;
  sendOffsetsToTransaction(
    positions: readonly Placed[],
    consumer: LibraryConsumer,
    timeoutMs: Millis,
    done: Done,
  ): void;
  on(
    event: 'delivery-report',
    listener: (failure: LibraryError | null | undefined, report: DeliveryReport) => void,
  ): void;
  on(event: 'event.error', listener: (failure: LibraryError) => void): void;
}

export interface DeliveryReport extends TopicPartition {
  readonly offset: number;
  readonly opaque: unknown;
}

const NAME = '@confluentinc/kafka-javascript';

/** Loads the library, which only those have installed who chose it. `from` is a module beside which it is looked for. */
export function loadLibrary(from: string = import.meta.url): Library {
  try {
    return createRequire(from)(NAME) as Library;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const message = messageOf(thrown);
    const absent = code === 'MODULE_NOT_FOUND' && message.includes(NAME);
    const unbuilt = /bindings file|did not self-register|\.node/.test(message);
    if (!absent && !unbuilt) throw thrown;
    throw new FlowError(
      'log.unsupported',
      absent
        ? `the driver confluent needs the package ${NAME}, which is not installed; run \`npm install ${NAME}@1\`, ` +
            'whose install step downloads its binary, or with CKJS_LINKING=dynamic compiles it (a C++ compiler, zlib ' +
            'and OpenSSL headers); or use the driver kafka, which needs nothing besides'
        : `the package ${NAME} is there without its binary for this Node (${message.split('\n')[0]}); run its install ` +
            `step: \`npm rebuild ${NAME}\`, with CKJS_LINKING=dynamic where it has to compile (a C++ compiler, zlib and ` +
            'OpenSSL headers)',
      { cause: thrown },
    );
  }
}

/** A call of the library as a promise. */
export function call<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((failure, answer) => (failure ? reject(failure) : resolve(answer)));
  });
}
