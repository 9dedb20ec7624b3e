import type { Bytes } from '../../core/bytes.ts';
import type { FlowError } from '../../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched } from '../log.ts';
import type { Answer, Leader } from './cluster.ts';
import type { Batches } from './fetch-batches.ts';

/**
 * A partition that a reader was given, from the position it was given it at. Another assignment of the same partition
 * is another object, so that answers to questions asked before can be told apart.
 */
export class Assigned implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  /** Where the next request begins. */
  position: Position;
  paused = false;
  /** Something is asked for it: who leads it, or its records. */
  busy = false;
  leader: Leader | undefined;
  /** Of the topic when it was first seen. */
  topicId: Bytes | undefined;
  /** What has come and was not taken. */
  ready: KafkaFetched | undefined;
  failure: FlowError | undefined;
  /** A broker has said what there is. */
  answered = false;
  /** There may be more at once: asked on the quick lane. */
  hot = true;
  /** Failures in a row, and until when to rest after them. */
  tries = 0;
  restUntil = 0;

  constructor(topic: string, partition: number, position: Position) {
    this.topic = topic;
    this.partition = partition;
    this.name = partitionName(topic, partition);
    this.position = position;
  }

  /** Drops what has come. */
  drop(): void {
    if (this.ready === undefined) return;
    this.position = this.ready.position;
    this.ready.release();
    this.ready = undefined;
  }
}

/** An answer that several partitions' batches lie in; given back when the last is released. */
export class Received {
  readonly answer: Answer;
  readonly #onRelease: (bytes: number) => void;
  #users = 0;

  constructor(answer: Answer, onRelease: (bytes: number) => void) {
    this.answer = answer;
    this.#onRelease = onRelease;
  }

  get size(): number {
    return this.answer.bytes.length;
  }

  use(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.answer.release();
    this.#onRelease(this.size);
  }
}

export class KafkaFetched implements Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Bytes;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly position: Position;
  readonly next: Position;
  readonly end: Position;
  #received: Received | undefined;

  constructor({ topic, partition, position }: Assigned, received: Received, batches: Batches, end: Position) {
    received.use();
    this.topic = topic;
    this.partition = partition;
    this.bytes = received.answer.bytes;
    this.starts = batches.starts;
    this.ends = batches.ends;
    this.position = position;
    this.next = batches.next;
    this.end = end;
    this.#received = received;
  }

  release(): void {
    this.#received?.release();
    this.#received = undefined;
  }
}
