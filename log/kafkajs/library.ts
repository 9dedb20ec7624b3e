import type * as KafkaJs from 'kafkajs';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';

/**
 * The client library, of which the driver uses the cluster and the brokers that it hands to partition assigners, the
 * producer, and the codec of groups. The types of the library leave out part of what its brokers can do.
 */
export type Library = typeof KafkaJs;
export type Client = KafkaJs.Kafka;
export type LibraryProducer = KafkaJs.Producer;
export type LibraryAdmin = KafkaJs.Admin;
export type LibraryTransaction = KafkaJs.Transaction;
export type LibraryMessage = KafkaJs.Message;
export type LibraryCluster = KafkaJs.Cluster & { disconnect(): Promise<void> };

export interface LibraryBroker {
  readonly nodeId: number;
  metadata(topics: string[]): Promise<Metadata>;
  findGroupCoordinator(request: { readonly groupId: string; readonly coordinatorType: number }): Promise<unknown>;
  fetch(request: FetchRequest): Promise<FetchAnswer>;
  listOffsets(request: {
    readonly isolationLevel: number;
    readonly topics: readonly PartitionsOf<{ readonly timestamp: number }>[];
  }): Promise<{ readonly responses: readonly PartitionsOf<{ readonly offset: string }>[] }>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly PartitionsOf<object>[];
  }): Promise<{ readonly responses: PartitionsOf<{ readonly offset: string; readonly metadata: string | null }>[] }>;
  offsetCommit(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly PartitionsOf<{ readonly offset: string; readonly metadata: string }>[];
  }): Promise<unknown>;
  deleteRecords(request: {
    readonly topics: readonly PartitionsOf<{ readonly offset: string }>[];
  }): Promise<{ readonly topics: readonly PartitionsOf<{ readonly lowWatermark: unknown }>[] }>;
  joinGroup(request: {
    readonly groupId: string;
    readonly memberId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Bytes }[];
  }): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Bytes }[];
  }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Bytes }[];
  }): Promise<{ readonly memberAssignment: Bytes }>;
  describeGroups(request: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly {
      readonly members: readonly { readonly memberId: string; readonly memberAssignment: Bytes }[];
    }[];
  }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

export interface PartitionsOf<T> {
  readonly topic: string;
  readonly partitions: readonly ({ readonly partition: number } & T)[];
}

export interface Metadata {
  readonly brokers: readonly { readonly nodeId: number }[];
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly isInternal: boolean;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly leader: number;
      readonly replicas: readonly number[];
    }[];
  }[];
}

export interface FetchRequest {
  readonly isolationLevel: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: {
    topic: string;
    partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
  }[];
}

export interface FetchAnswer {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly FetchedMessage[];
}

export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly headers: Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;
  /** The same object for all messages of a batch. */
  readonly batchContext: BatchContext;
}

type HeaderValue = Bytes | null;

export interface BatchContext {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
}

let loading: Promise<Library> | undefined;

/** Loads the library, which only those have installed who chose it. */
export function loadLibrary(load: () => Promise<unknown> = () => import('kafkajs')): Promise<Library> {
  loading ??= load().then(
    (loaded) => (loaded as { readonly default?: Library }).default ?? (loaded as Library),
    (thrown: NodeJS.ErrnoException) => {
      loading = undefined;
      if (thrown.code !== 'ERR_MODULE_NOT_FOUND') throw thrown;
      throw new FlowError(
        'log.unsupported',
        'the driver kafkajs needs the package kafkajs, which is not installed; run `npm install kafkajs@2`, ' +
          'or use the driver kafka, which needs nothing besides',
      );
    },
  );
  return loading;
}
