import type { Bytes } from '../../core/bytes.ts';
import { Deadline } from '../../core/deadline.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import type { Fetched, LogReader, ReaderOptions } from '../log.ts';
import { type Context, checkOpen, partitionOf } from './context.ts';
import type { Partition } from './partition.ts';
import { checkRange, type Place, type ReadRequest, readDisk, readTail, type Taken } from './read.ts';

const DEFAULT_FETCH_BYTES = 1 << 20;

interface Assigned extends TopicPartition {
  readonly name: string;
  position: Position;
  paused: boolean;
  /** Found once, for as long as its topic lives. */
  found: Partition | undefined;
  /** Where the next batch lies, as long as the segment lives. */
  place: Place | undefined;
  /** Told by the partition when there may be more, from the moment on when there was nothing more. */
  readonly listener: () => void;
  /** Those of the partition, as long as the listener is among them. */
  listeners: Set<() => void> | undefined;
}

interface AssignedRequest extends ReadRequest {
  readonly assigned: Assigned;
}

export class FileReader implements LogReader {
  readonly #context: Context;
  readonly #committed: boolean;
  readonly #bytes: number;
  readonly #assigned = new Map<string, Assigned>();
  /** Those that may have something: of many mostly a few. All others listen, or are paused. */
  readonly #listed = new Set<Assigned>();
  readonly #deadline: Deadline;
  /** Resolves the wait at hand. */
  #goOn: (() => void) | undefined;
  /** The one whose abort ends a wait; mostly every fetch brings the same. */
  #signal: AbortSignal | undefined;
  #closed = false;
  readonly #onClose: () => void;

  constructor(context: Context, options: ReaderOptions, onClose: () => void) {
    this.#onClose = onClose;
    this.#context = context;
    this.#committed = options.isolation === 'committed';
    this.#bytes = options.maxPartitionBytes ?? DEFAULT_FETCH_BYTES;
    this.#deadline = new Deadline(context.clock, this.#tell);
  }

  assign(partitions: readonly (TopicPartition & { readonly position: Position })[]): void {
    for (const { topic, partition, position } of partitions) {
      const name = partitionName(topic, partition);
      const before = this.#assigned.get(name);
      this.#unlisten(before);
      const assigned: Assigned = {
        ...{ name, topic, partition, position, paused: before?.paused ?? false },
        ...{ found: undefined, place: undefined, listeners: undefined },
        listener: () => this.#list(assigned),
      };
      this.#assigned.set(name, assigned);
      this.#list(assigned);
    }
  }

  unassign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = partitionName(topic, partition);
      this.#unlisten(this.#assigned.get(name));
      this.#assigned.delete(name);
    }
  }

  pause({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined) return;
    assigned.paused = true;
    this.#unlisten(assigned);
  }

  resume({ topic, partition }: TopicPartition): void {
    const assigned = this.#assigned.get(partitionName(topic, partition));
    if (assigned === undefined) return;
    assigned.paused = false;
    this.#list(assigned);
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

  end({ topic, partition }: TopicPartition): Position {
    const assigned = this.#assigned.get(partitionName(topic, partition))!;
    const found = this.#found(assigned);
    if (found === undefined) return assigned.position;
    return this.#committed ? found.stable : found.end;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#onClose();
    for (const assigned of this.#assigned.values()) this.#unlisten(assigned);
    this.#heed(undefined);
    this.#tell();
    this.#deadline.close();
  }

  #check(): void {
    checkOpen(this.#context);
    if (this.#closed) throw new FlowError('log.closed', 'the reader was closed');
  }

  #collect(): readonly Fetched[] | Promise<readonly Fetched[]> {
    const requests = this.#requests();
    if (requests.length === 0) return [];
    const reads = requests.map((request) => this.#read(request));
    // what is in the tails is there at once
    if (reads.every((read) => read instanceof FetchedBatches)) return reads.filter((read) => this.#advance(read));
    return this.#settled(reads);
  }

  async #settled(reads: readonly (FetchedBatches | Promise<FetchedBatches>)[]): Promise<readonly Fetched[]> {
    const found: FetchedBatches[] = [];
    for (const result of await Promise.allSettled(reads)) {
      if (result.status === 'rejected') {
        for (const fetched of found) fetched.release();
        throw result.reason;
      }
      found.push(result.value);
    }
    return found.filter((fetched) => this.#advance(fetched));
  }

  /** One for each partition that has something; the others are listed no more. Where one of them cannot be read, it stays. */
  #requests(): AssignedRequest[] {
    const requests: AssignedRequest[] = [];
    for (const assigned of this.#listed) {
      const request = this.#request(assigned);
      if (request === undefined) this.#listed.delete(assigned);
      else requests.push(request);
    }
    return requests;
  }

  #request(assigned: Assigned): AssignedRequest | undefined {
    if (assigned.paused || this.#assigned.get(assigned.name) !== assigned) return undefined;
    const { position } = assigned;
    const partition = this.#found(assigned) ?? partitionOf(this.#context, assigned.topic, assigned.partition);
    const limit = this.#committed ? partition.stable : partition.end;
    checkRange(partition, position);
    if (position >= limit) {
      this.#listen(assigned, partition);
      return undefined;
    }
    const { buffers } = this.#context;
    return { assigned, partition, position, limit, maxBytes: this.#bytes, committed: this.#committed, buffers };
  }

  #found(assigned: Assigned): Partition | undefined {
    const { found } = assigned;
    if (found !== undefined && !found.topic.deleted) return found;
    assigned.found = this.#context.topics.get(assigned.topic)?.partitions[assigned.partition];
    return assigned.found;
  }

  /** False where the partition was moved or taken away while it was read. */
  #advance(fetched: FetchedBatches): boolean {
    const { assigned } = fetched;
    if (this.#assigned.get(assigned.name) !== assigned || assigned.position !== fetched.position) {
      fetched.release();
      return false;
    }
    assigned.position = fetched.next;
    return true;
  }

  #read(request: AssignedRequest): FetchedBatches | Promise<FetchedBatches> {
    const { assigned, partition, position } = request;
    const batchesOf = (taken: Taken) => {
      assigned.place = taken.place;
      return new FetchedBatches(request, taken);
    };
    if (position >= partition.writtenEnd) return batchesOf(readTail(request));
    return readDisk(request, assigned.place).then(batchesOf);
  }

  /** Resolves when more may have come, after `ms`, or when the signal aborts. */
  #wait(ms: Millis, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || this.#context.closed || this.#listed.size > 0) return resolve();
      this.#heed(signal);
      this.#deadline.set(ms);
      this.#goOn = resolve;
    });
  }

  /** Ends the wait at hand. Called much more often than there is one. */
  readonly #tell = (): void => {
    const goOn = this.#goOn;
    if (goOn === undefined) return;
    this.#goOn = undefined;
    this.#deadline.clear();
    goOn();
  };

  /** There may be more in it. */
  #list(assigned: Assigned): void {
    this.#listed.add(assigned);
    this.#tell();
  }

  #listen(assigned: Assigned, partition: Partition): void {
    const listeners = this.#committed ? partition.committedListeners : partition.uncommittedListeners;
    if (assigned.listeners === listeners) return;
    // another topic of the name may have been there before
    this.#unlisten(assigned);
    listeners.add(assigned.listener);
    assigned.listeners = listeners;
  }

  #unlisten(assigned: Assigned | undefined): void {
    if (assigned === undefined) return;
    assigned.listeners?.delete(assigned.listener);
    assigned.listeners = undefined;
  }

  #heed(signal: AbortSignal | undefined): void {
    if (signal === this.#signal) return;
    this.#signal?.removeEventListener('abort', this.#tell);
    signal?.addEventListener('abort', this.#tell, { once: true });
    this.#signal = signal;
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
  readonly assigned: Assigned;
  #buffers: Context['buffers'] | undefined;

  constructor({ assigned, position, limit, buffers }: AssignedRequest, taken: Taken) {
    this.topic = assigned.topic;
    this.partition = assigned.partition;
    this.bytes = taken.bytes;
    this.starts = taken.starts;
    this.ends = taken.ends;
    this.position = position;
    this.next = taken.next;
    this.end = limit;
    this.assigned = assigned;
    this.#buffers = buffers;
  }

  release(): void {
    this.#buffers?.giveBack(this.bytes);
    this.#buffers = undefined;
  }
}
