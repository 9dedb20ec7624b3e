import { type Bytes, ByteWriter, readInt16, readInt32 } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { type Position, partitionName } from '../../core/ids.ts';
import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { BatchView } from '../batch.ts';
import { baseSequence, checkBatch, producerEpoch, producerId, recordCount } from '../batch-header.ts';
import type { Answer, Cluster, Socket } from './cluster.ts';
import { Stale } from './error-codes.ts';
import { Pulse } from './pulse.ts';

/** What goes wrong with a request: it or its answer is lost with the connection, or some partitions are refused. */
export type Mishap = 'lost request' | 'lost answer' | 'refused' | 'refused though taken' | 'led elsewhere';

const CODES = {
  ok: 0,
  notLeader: 6,
  tooLarge: 10,
  notEnoughReplicas: 19,
  afterAppend: 20,
  gap: 45,
  fenced: 47,
} as const;
/** A broker tells a repetition among so many batches of a producer. */
const REMEMBERED = 5;

interface Taken {
  readonly sequence: number;
  readonly next: number;
  readonly base: Position;
}

interface ProducerState {
  epoch: number;
  batches: Taken[];
}

class Partition {
  leader = 1;
  readonly values: string[] = [];
  readonly producers = new Map<number, ProducerState>();
}

/**
 * Two brokers in memory that understand Produce, with the rules by which Kafka takes batches of a producer: a
 * repetition is answered as before, a gap refused, and a producer that is not known may begin anywhere.
 */
export class FakeBrokers {
  readonly clock: Clock;
  readonly random: Random;
  readonly largest = 10_000;
  /** Chance of a mishap, 0 to 1. */
  mishaps = 0;
  readonly requests: string[][] = [];
  readonly #partitions = new Map<string, Partition>();

  constructor(clock: Clock, seed: number) {
    this.clock = clock;
    this.random = seededRandom(seed);
  }

  partition(name: string): Partition {
    let found = this.#partitions.get(name);
    if (found === undefined) {
      found = new Partition();
      this.#partitions.set(name, found);
    }
    return found;
  }

  cluster(patienceMs: number): Cluster {
    const known = new Map<string, number>();
    const cluster = {
      clock: this.clock,
      random: this.random,
      pulse: new Pulse(this.clock),
      patienceMs,
      closing: new AbortController().signal,
      transactionVersion: 2,
      leader: async (topic: string, partition: number) => {
        if (topic === 'absent') throw new FlowError('topic.missing', 'topic absent does not exist; create it');
        const name = partitionName(topic, partition);
        const broker = known.get(name) ?? this.partition(name).leader;
        known.set(name, broker);
        return { broker, epoch: 0 };
      },
      stale: (what: { readonly topic?: string }) => {
        for (const name of known.keys()) if (name.startsWith(`${what.topic}/`)) known.delete(name);
      },
      socket: async (broker: number) => new FakeSocket(this, broker),
    };
    return cluster as unknown as Cluster;
  }

  mishap(): Mishap | undefined {
    if (this.random.next() >= this.mishaps) return undefined;
    const all: Mishap[] = ['lost request', 'lost answer', 'refused', 'refused though taken', 'led elsewhere'];
    return all[randomInt(this.random, all.length)];
  }

  take(broker: number, name: string, batch: Bytes, mishap: Mishap | undefined): { code: number; base: Position } {
    const partition = this.partition(name);
    if (mishap === 'led elsewhere') partition.leader = 3 - partition.leader;
    if (partition.leader !== broker) return { code: CODES.notLeader, base: -1 };
    if (mishap === 'refused') return { code: CODES.notEnoughReplicas, base: -1 };
    if (batch.length > this.largest) return { code: CODES.tooLarge, base: -1 };
    const taken = this.#append(partition, batch);
    return mishap === 'refused though taken' ? { code: CODES.afterAppend, base: -1 } : taken;
  }

  #append(partition: Partition, batch: Bytes): { code: number; base: Position } {
    const where = { topic: 'fake', partition: 0 };
    checkBatch(batch, 0, batch.length, where);
    const sequence = baseSequence(batch, 0);
    const next = sequence + recordCount(batch, 0);
    const epoch = producerEpoch(batch, 0);
    const known = partition.producers.get(producerId(batch, 0));
    if (known !== undefined && epoch < known.epoch) return { code: CODES.fenced, base: -1 };
    const before = known?.epoch === epoch ? known.batches : [];
    const again = before.find((taken) => taken.sequence === sequence && taken.next === next);
    if (again !== undefined) return { code: CODES.ok, base: again.base };
    const expected = known === undefined ? sequence : (before.at(-1)?.next ?? 0);
    if (sequence !== expected) return { code: CODES.gap, base: -1 };
    const base = partition.values.length;
    const view = new BatchView();
    view.open(batch, 0, batch.length, where);
    for (let i = 0; i < view.count; i++) {
      partition.values.push(view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!));
    }
    partition.producers.set(producerId(batch, 0), {
      epoch,
      batches: [...before, { sequence, next, base }].slice(-REMEMBERED),
    });
    return { code: CODES.ok, base };
  }
}

/** Answers requests one after another, each a few turns later. */
class FakeSocket implements Pick<Socket, 'open' | 'send'> {
  open = true;
  readonly #brokers: FakeBrokers;
  readonly #broker: number;
  readonly #inFlight: ((failure: Error) => void)[] = [];
  #work: Promise<void> = Promise.resolve();

  constructor(brokers: FakeBrokers, broker: number) {
    this.#brokers = brokers;
    this.#broker = broker;
  }

  send(_api: number, _version: number, parts: readonly Bytes[]): Promise<Answer> {
    if (!this.open) return Promise.reject(new Stale('the connection is closed', true));
    return new Promise((resolve, reject) => {
      this.#inFlight.push(reject);
      this.#work = this.#work.then(async () => {
        for (let turns = randomInt(this.#brokers.random, 3); turns > 0; turns--) await this.#brokers.clock.turn();
        if (!this.open) return;
        const mishap = this.#brokers.mishap();
        if (mishap === 'lost request') return this.#break();
        const answer = this.#answer(Buffer.concat(parts), mishap);
        if (mishap === 'lost answer') return this.#break();
        this.#inFlight.shift();
        resolve({ bytes: answer, start: 0, end: answer.length, release: () => undefined });
      });
    });
  }

  #break(): void {
    this.open = false;
    for (const reject of this.#inFlight.splice(0)) reject(new FlowError('log.timeout', 'the connection broke'));
  }

  #answer(request: Bytes, mishap: Mishap | undefined): Bytes {
    const writer = new ByteWriter();
    const names: string[] = [];
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = request[at++]!;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    const text = () => {
      const length = Math.max(0, varint() - 1);
      at += length;
      return request.toString('utf8', at - length, at);
    };
    text();
    if (readInt16(request, at) !== -1) throw new Error('all replicas must answer');
    at += 6;
    const topics = varint();
    writer.varint(topics);
    for (let t = 1; t < topics; t++) {
      const topic = text();
      writer.varint(topic.length + 1);
      writer.text(topic);
      const partitions = varint();
      writer.varint(partitions);
      for (let p = 1; p < partitions; p++) {
        const partition = readInt32(request, at);
        at += 4;
        const length = varint() - 1;
        const batch = request.subarray(at, at + length);
        at += length + 1;
        const name = partitionName(topic, partition);
        if (names.includes(name)) throw new Error('two batches of a partition in a request');
        names.push(name);
        const { code, base } = this.#brokers.take(this.#broker, name, batch, mishap);
        writer.int32(partition);
        writer.byte(code >> 8);
        writer.byte(code);
        writer.int64(base);
        writer.int64(-1);
        writer.int64(0);
        writer.varint(1);
        writer.varint(0);
        writer.varint(0);
      }
      at++;
      writer.varint(0);
    }
    this.#brokers.requests.push(names);
    writer.int32(0);
    writer.varint(0);
    return writer.take();
  }
}
