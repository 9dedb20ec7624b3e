import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import { type Assigned, KafkaFetched, Received } from './assigned.ts';
import type { Answer, BrokerId, Cluster, Socket } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import { failureFrom } from './failures.ts';
import { takeBatches } from './fetch-batches.ts';
import { decodeFetch, encodeFetch, FETCH_VERSIONS, type FetchAnswerPartition, topicKey } from './fetch-codec.ts';
import { readBounds } from './positions.ts';
import { backOffMs } from './retry.ts';
import { API } from './versions.ts';

/** How long a broker may hold a request when there is nothing. */
const LONG_POLL_MS: Millis = 250;
/** How long it may take besides. */
const ANSWER_MS: Millis = 10_000;
/** Of one answer: what one partition holds back until it is released. With what stands around it, it fits 4 MiB. */
const ANSWER_BYTES = (4 << 20) - (64 << 10);
const OUT_OF_RANGE = 1;

export interface FetcherParts {
  readonly cluster: Cluster;
  /** Tells this reader's sockets from others'. */
  readonly role: string;
  readonly committed: boolean;
  readonly maxPartitionBytes: number;
  /** Whether it is still assigned. */
  holds(assigned: Assigned): boolean;
  /** Something has come, failed, or is to be asked anew. */
  news(): void;
}

/**
 * A connection to a broker, with one request under way. A broker answers the requests of a connection in order, and
 * holds one for which there is nothing; so there are two: the long lane, where requests may be held, and the quick
 * lane for partitions that may have records at once while the long lane is held.
 */
interface Lane {
  readonly role: string;
  readonly quick: boolean;
  socket: Socket | undefined;
  busy: boolean;
  /** The broker wants to be left alone until then. */
  restUntil: number;
}

/** Asks brokers for the records of assigned partitions, and puts what comes into them. */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #lanes = new Map<BrokerId, readonly Lane[]>();
  /** Bytes of answers that somebody still reads in. */
  heldBytes = 0;
  #turn = 0;
  #closed = false;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /** Asks for every partition of these that has nothing ready and is not asked for already. */
  ask(all: readonly Assigned[]): void {
    const now = this.#parts.cluster.clock.monotonic();
    const perBroker = new Map<BrokerId, Assigned[]>();
    this.#turn++;
    for (let i = 0; i < all.length; i++) {
      // Whoever stands first in a request is sure to get a batch, so each does in turn.
      const assigned = all[(i + this.#turn) % all.length]!;
      const { busy, paused, ready, failure, restUntil, leader } = assigned;
      if (busy || paused || ready !== undefined || failure !== undefined || restUntil > now) continue;
      if (leader === undefined) {
        void this.#locate(assigned);
        continue;
      }
      const list = perBroker.get(leader.broker);
      if (list === undefined) perBroker.set(leader.broker, [assigned]);
      else list.push(assigned);
    }
    for (const [broker, list] of perBroker) this.#dispatch(broker, list, now);
  }

  /** When something that rests now should be asked, or infinity. */
  nextAsk(all: readonly Assigned[]): number {
    const now = this.#parts.cluster.clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const { busy, paused, ready, failure, restUntil, leader } of all) {
      if (busy || paused || ready !== undefined || failure !== undefined) continue;
      const long = leader === undefined ? undefined : this.#lanes.get(leader.broker)?.[0];
      const rest = Math.max(restUntil, long === undefined || long.busy ? 0 : long.restUntil);
      if (rest > now) next = Math.min(next, rest);
    }
    return next;
  }

  close(): void {
    this.#closed = true;
    for (const lanes of this.#lanes.values()) for (const lane of lanes) lane.socket?.close();
  }

  #dispatch(broker: BrokerId, list: readonly Assigned[], now: number): void {
    const [long, quick] = this.#lanesOf(broker);
    if (!long!.busy) {
      if (long!.restUntil <= now) void this.#send(broker, long!, list);
      return;
    }
    if (quick!.busy || quick!.restUntil > now) return;
    const hot = list.filter((assigned) => assigned.hot);
    if (hot.length > 0) void this.#send(broker, quick!, hot);
  }

  #lanesOf(broker: BrokerId): readonly Lane[] {
    let lanes = this.#lanes.get(broker);
    if (lanes === undefined) {
      const { role } = this.#parts;
      const lane = (quick: boolean): Lane => ({
        role: `${role} ${quick ? 'quick' : 'long'}`,
        quick,
        socket: undefined,
        busy: false,
        restUntil: 0,
      });
      lanes = [lane(false), lane(true)];
      this.#lanes.set(broker, lanes);
    }
    return lanes;
  }

  async #locate(assigned: Assigned): Promise<void> {
    const { topic, partition, name } = assigned;
    assigned.busy = true;
    try {
      const leader = await this.#parts.cluster.leader(topic, partition);
      assigned.topicId ??= leader.topicId;
      if (!assigned.topicId.equals(leader.topicId)) throw recreated(assigned);
      assigned.leader = leader;
    } catch (thrown) {
      const gone = thrown instanceof FlowError && thrown.code === 'topic.missing' && assigned.topicId !== undefined;
      this.#failed(assigned, gone ? deleted(assigned) : thrown, `reading ${name}`);
    } finally {
      assigned.busy = false;
      this.#parts.news();
    }
  }

  async #send(broker: BrokerId, lane: Lane, list: readonly Assigned[]): Promise<void> {
    const { cluster, maxPartitionBytes, committed } = this.#parts;
    lane.busy = true;
    const asked = grouped(list);
    const positions = asked.map(({ position }) => position);
    for (const assigned of asked) assigned.busy = true;
    try {
      lane.socket = await cluster.socket(broker, lane.role);
      if (this.#closed) lane.socket.close();
      const version = lane.socket.versions.newest('Fetch', API.fetch, FETCH_VERSIONS.oldest, FETCH_VERSIONS.newest);
      const maxWaitMs = lane.quick || asked.some(({ answered }) => !answered) ? 0 : LONG_POLL_MS;
      const limits = { committed, maxWaitMs, maxPartitionBytes, maxBytes: Math.max(ANSWER_BYTES, maxPartitionBytes) };
      const body = encodeFetch(
        version,
        limits,
        asked.map(({ topicId, partition, leader, position }) => {
          return { topicId: topicId!, partition, leaderEpoch: leader!.epoch, position };
        }),
      );
      const answer = await lane.socket.send(API.fetch, version, [body], maxWaitMs + ANSWER_MS);
      lane.restUntil = this.#take(asked, positions, answer);
    } catch (thrown) {
      for (const assigned of asked) this.#failed(assigned, thrown, `reading ${assigned.name}`);
    } finally {
      lane.busy = false;
      for (const assigned of asked) assigned.busy = false;
      this.#parts.news();
    }
  }

  /** Shares an answer out; says until when the broker wants to be left alone. */
  #take(asked: readonly Assigned[], positions: readonly number[], answer: Answer): number {
    const received = new Received(answer, (bytes) => {
      this.heldBytes -= bytes;
    });
    this.heldBytes += received.size;
    // Held as long as it is shared out, so that an answer with nothing in it is given back.
    received.use();
    try {
      const { throttleMs, errorCode, partitions } = decodeFetch(answer.bytes, answer.start);
      if (errorCode !== 0) throw failureOf(errorCode, 'fetching');
      const byPlace = new Map(
        asked.map((assigned, i) => [placeOf(topicKey(assigned.topicId!), assigned.partition), i]),
      );
      for (const found of partitions) {
        const index = byPlace.get(placeOf(found.topic, found.partition));
        const assigned = index === undefined ? undefined : asked[index];
        // Moved, taken away, or given back and taken again meanwhile: this answer is of no use to it.
        if (assigned === undefined || !this.#parts.holds(assigned) || assigned.position !== positions[index!]) continue;
        if (found.errorCode === 0) this.#give(assigned, found, received);
        else this.#refused(assigned, found.errorCode);
      }
      return throttleMs > 0 ? this.#parts.cluster.clock.monotonic() + throttleMs : 0;
    } finally {
      received.release();
    }
  }

  #give(assigned: Assigned, found: FetchAnswerPartition, received: Received): void {
    const { committed } = this.#parts;
    assigned.answered = true;
    assigned.tries = 0;
    const { recordsStart, recordsEnd, stable, highWatermark } = found;
    const aborted = committed ? found.aborted : [];
    try {
      const { bytes } = received.answer;
      const batches = takeBatches(bytes, recordsStart, recordsEnd, assigned.position, aborted, assigned);
      const end = committed ? stable : highWatermark;
      assigned.hot = batches.next > assigned.position;
      if (assigned.hot) assigned.ready = new KafkaFetched(assigned, received, batches, end);
    } catch (thrown) {
      this.#failed(assigned, thrown, `reading ${assigned.name}`);
    }
  }

  #refused(assigned: Assigned, errorCode: number): void {
    if (errorCode === OUT_OF_RANGE) void this.#checkRange(assigned);
    else this.#failed(assigned, failureOf(errorCode, `reading ${assigned.name}`), `reading ${assigned.name}`);
  }

  async #checkRange(assigned: Assigned): Promise<void> {
    const { topic, partition, name, position } = assigned;
    const what = `reading ${name}`;
    assigned.restUntil = Number.POSITIVE_INFINITY;
    try {
      const { start, end } = await readBounds(this.#parts.cluster, topic, partition);
      if (position >= start && position <= end) throw new Stale('a broker does not know the position yet', true);
      throw new FlowError(
        'log.range',
        `position ${position} of ${name} is outside of ${start} to ${end}; ` +
          'reset the position, retention may have removed it',
      );
    } catch (thrown) {
      this.#failed(assigned, thrown, what);
      this.#parts.news();
    }
  }

  /** What passes is asked again after a rest; anything else is the reader's to tell. */
  #failed(assigned: Assigned, thrown: unknown, what: string): void {
    const { cluster } = this.#parts;
    let failure: Stale | FlowError;
    try {
      failure = failureFrom(thrown, what);
    } catch {
      // Not of the network: a fault of our own, which should be seen.
      failure = new FlowError('log.corrupt', `${what}: the answer cannot be read (${String(thrown)})`, {
        cause: thrown,
      });
    }
    if (failure instanceof FlowError && failure.code !== 'log.timeout') {
      assigned.failure = failure;
      return;
    }
    if (failure instanceof FlowError || failure.refresh) {
      assigned.leader = undefined;
      cluster.stale({ topic: assigned.topic });
    }
    cluster.pulse.again();
    assigned.restUntil = cluster.clock.monotonic() + backOffMs(assigned.tries++, cluster.random);
  }
}

function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Partitions of one topic together, topics in the order of their first. */
function grouped(list: readonly Assigned[]): readonly Assigned[] {
  const topics = new Map<string, Assigned[]>();
  for (const assigned of list) {
    const known = topics.get(assigned.topic);
    if (known === undefined) topics.set(assigned.topic, [assigned]);
    else known.push(assigned);
  }
  return topics.size === 1 ? list : [...topics.values()].flat();
}

function recreated({ topic, name }: Assigned): FlowError {
  return new FlowError(
    'topic.recreated',
    `topic ${topic} was deleted and made anew while ${name} was read; the positions read so far mean nothing in ` +
      'the new one: reset the application, or start again from positions of the new topic',
  );
}

function deleted({ topic, name }: Assigned): FlowError {
  return new FlowError(
    'topic.missing',
    `topic ${topic} was deleted while ${name} was read; bring it back from where it comes, or take it out of the plan`,
  );
}
