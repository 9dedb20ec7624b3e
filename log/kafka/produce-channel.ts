import type { Millis } from '../../core/ids.ts';
import type { BrokerId, Cluster, Socket } from './cluster.ts';
import { Stale } from './error-codes.ts';
import type { PartitionQueue, Pending } from './partition-queue.ts';
import { decodeProduce, encodeProduce, PRODUCE, type ProduceResult } from './produce-codec.ts';

/** Requests under way at a broker. */
const MOST_REQUESTS = 5;
/** Batches in a request; one that is larger goes alone. */
const REQUEST_BYTES = 8 << 20;

/** A batch on its way. */
export interface Flight {
  readonly queue: PartitionQueue;
  readonly pending: Pending;
}

export interface ChannelParts {
  readonly cluster: Cluster;
  readonly transactionalId: string | undefined;
  /** Of the request. */
  readonly version: number;
  /** The role of the socket. */
  readonly role: string;
  /** A request not answered for longer breaks the socket, and is sent again over another. */
  readonly timeoutMs: Millis;
  /** Nothing is to be sent now. */
  halted(): boolean;
  /** Takes the next batch out of its queue, ready to go. */
  take(queue: PartitionQueue, pending: Pending): void;
  answered(flight: Flight, result: ProduceResult): void;
  /** Nothing was said of these: their outcome is not known, unless they were never sent. */
  unanswered(flights: readonly Flight[], failure: unknown): void;
  /** The broker cannot be reached for these partitions. */
  unreachable(queue: PartitionQueue, failure: unknown): void;
  /** Nothing is under way at this broker. */
  quiet(): void;
}

/** What one broker is sent: requests of a batch of each partition that has one, a few under way at a time. */
export class ProduceChannel {
  readonly #broker: BrokerId;
  readonly #parts: ChannelParts;
  /** Partitions with a batch to send, the longest waiting first. */
  readonly #ready = new Set<PartitionQueue>();
  #socket: Socket | undefined;
  #requests = 0;
  #driven = false;

  constructor(broker: BrokerId, parts: ChannelParts) {
    this.#broker = broker;
    this.#parts = parts;
  }

  get idle(): boolean {
    return this.#requests === 0;
  }

  add(queue: PartitionQueue): void {
    this.#ready.add(queue);
  }

  /** Sends what is ready. */
  async drive(): Promise<void> {
    if (this.#driven) return;
    this.#driven = true;
    try {
      while (this.#ready.size > 0 && this.#requests < MOST_REQUESTS && !this.#parts.halted()) {
        if (this.#socket?.open) this.#send(this.#socket);
        else this.#socket = await this.#parts.cluster.socket(this.#broker, this.#parts.role);
      }
    } catch (thrown) {
      this.#socket = undefined;
      const ready = [...this.#ready];
      this.#ready.clear();
      for (const queue of ready) this.#parts.unreachable(queue, thrown);
    } finally {
      this.#driven = false;
      if (this.#parts.halted()) this.#ready.clear();
    }
  }

  #send(socket: Socket): void {
    const flights = this.#gather();
    if (flights.size === 0) return;
    const { transactionalId, version, timeoutMs } = this.#parts;
    const entries = [...flights.values()].map(({ queue, pending }) => ({
      topic: queue.topic,
      partition: queue.partition,
      batch: pending.batch,
    }));
    this.#requests++;
    socket
      .send(PRODUCE, version, encodeProduce(transactionalId, timeoutMs, entries), timeoutMs)
      .then((answer) => {
        const results = decodeProduce(answer);
        answer.release();
        for (const result of results) {
          const name = `${result.topic}/${result.partition}`;
          const flight = flights.get(name);
          if (flight === undefined) continue;
          flights.delete(name);
          this.#parts.answered(flight, result);
        }
        if (flights.size > 0) throw new Stale('the answer left a partition out', true);
      })
      .catch((failure: unknown) => this.#parts.unanswered([...flights.values()], failure))
      .finally(() => {
        this.#requests--;
        if (this.#requests === 0) this.#parts.quiet();
        void this.drive();
      });
  }

  /** The batches of one request, by the names of their partitions. */
  #gather(): Map<string, Flight> {
    const flights = new Map<string, Flight>();
    let bytes = 0;
    for (const queue of [...this.#ready]) {
      const pending = queue.next;
      if (pending === undefined || queue.broker !== this.#broker) {
        this.#ready.delete(queue);
        continue;
      }
      if (bytes > 0 && bytes + pending.batch.length > REQUEST_BYTES) break;
      bytes += pending.batch.length;
      this.#parts.take(queue, pending);
      flights.set(queue.name, { queue, pending });
      this.#ready.delete(queue);
      if (queue.next !== undefined) this.#ready.add(queue);
    }
    return flights;
  }
}
