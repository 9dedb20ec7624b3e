import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched, LogReader, ReaderOptions } from '../log.ts';
import { type Context, checkOpen, partitionOf } from './context.ts';
import type { Partition } from './partition.ts';
import { checkRange, type Place, readDisk, readTail } from './read.ts';

const DEFAULT_FETCH_BYTES = 1 << 20;

interface Assigned extends TopicPartition {
  position: Position;
  paused: boolean;
  /** Where the next batch lies, as long as the segment lives. */
  place: Place | undefined;
}

export class FileReader implements LogReader {
  readonly #context: Context;
  readonly #committed: boolean;
  readonly #bytes: number;
  readonly #assigned = new Map<string, Assigned>();
  #wake: (() => void) | undefined;
  #closed = false;
  readonly #onClose: () => void;

  constructor(context: Context, options: ReaderOptions, onClose: () => void) {
    this.#onClose = onClose;
    this.#context = context;
    this.#committed = options.isolation === 'committed';
    this.#bytes = options.maxPartitionBytes ?? DEFAULT_FETCH_BYTES;
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of partitions) {
      const name = partitionName(topic, partition);
      const paused = this.#assigned.get(name)?.paused ?? false;
      this.#assigned.set(name, { topic, partition, position, paused, place: undefined });
    }
    this.#wake?.();
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(partitionName(topic, partition));
  }

  pause({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned !== undefined) assigned.paused = true;
  }

  resume({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined) return;
    assigned.paused = false;
    this.#wake?.();
  }

  async fetch(maxWaitMs: Millis, signal?: AbortSignal): Promise<readonly Fetched[]> {
    const { clock } = this.#context;
    const deadline = clock.monotonic() + maxWaitMs;
    for (;;) {
      this.#check();
      const found = await this.#collect();
      if (found.length > 0) return found;
      const left = deadline - clock.monotonic();
      if (left <= 0 || signal?.aborted) return [];
      await this.#wait(left, signal);
      if (this.#closed || this.#context.closed) return [];
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#onClose();
    this.#wake?.();
  }

  #check(): void {
    checkOpen(this.#context);
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
  }

  async #collect(): Promise<Fetched[]> {
    const reads: Promise<Fetched | undefined>[] = [];
    for (const assigned of this.#assigned.values()) {
      if (assigned.paused) continue;
      const partition = partitionOf(this.#context, assigned.topic, assigned.partition);
      const limit = this.#limit(partition);
      checkRange(partition, assigned.position);
      if (assigned.position < limit) reads.push(this.#read(assigned, partition, limit));
    }
    if (reads.length === 0) return [];
    const found: Fetched[] = [];
    for (const result of await Promise.allSettled(reads)) {
      if (result.status === 'rejected') {
        for (const fetched of found) fetched.release();
        throw result.reason;
      }
      if (result.value !== undefined) found.push(result.value);
    }
    return found.filter((fetched) => this.#advance(fetched));
  }

  /** False where the partition was moved or taken away while it was read. */
  #advance(fetched: Fetched): boolean {
    const assigned = this.#assigned.get(partitionName(fetched.topic, fetched.partition));
    if (assigned?.position !== fetched.position) {
      fetched.release();
      return false;
    }
    assigned.position = fetched.next;
    return true;
  }

  #limit(partition: Partition): Position {
    return this.#committed ? partition.stable : partition.end;
  }

  async #read(assigned: Assigned, partition: Partition, limit: Position): Promise<Fetched> {
    const { buffers } = this.#context;
    const request = {
      partition,
      position: assigned.position,
      limit,
      maxBytes: this.#bytes,
      committed: this.#committed,
      buffers,
    };
    const { position } = request;
    const taken = position < partition.writtenEnd ? await readDisk(request, assigned.place) : readTail(request);
    assigned.place = taken.place;
    return new FetchedBatches(assigned, taken, position, limit, buffers);
  }

  #wait(ms: Millis, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const sets: Set<() => void>[] = [];
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        for (const set of sets) set.delete(done);
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#context.clock.after(ms, done);
      this.#wake = done;
      signal?.addEventListener('abort', done, { once: true });
      if (this.#closed || this.#context.closed) return done();
      for (const assigned of this.#assigned.values()) {
        const partition = this.#context.topics.get(assigned.topic)?.partitions[assigned.partition];
        if (partition === undefined) return done();
        if (assigned.paused) continue;
        if (assigned.position !== this.#limit(partition)) return done();
        const set = this.#committed ? partition.committedWaiters : partition.uncommittedWaiters;
        set.add(done);
        sets.push(set);
      }
    });
  }
}

class FetchedBatches implements Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Bytes;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly position: Position;
  readonly next: Position;
  readonly end: Position;
  #buffers: Context['buffers'] | undefined;

  constructor(
    { topic, partition }: TopicPartition,
    taken: { bytes: Bytes; starts: number[]; ends: number[]; next: Position },
    position: Position,
    end: Position,
    buffers: Context['buffers'],
  ) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = taken.bytes;
    this.starts = taken.starts;
    this.ends = taken.ends;
    this.position = position;
    this.next = taken.next;
    this.end = end;
    this.#buffers = buffers;
  }

  release(): void {
    this.#buffers?.giveBack(this.bytes);
    this.#buffers = undefined;
  }
}
