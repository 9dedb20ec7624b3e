import { type Bytes, ByteWriter, readInt32, readInt64 } from '../../core/bytes.ts';
import type { VirtualClock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { type Millis, type Position, partitionName } from '../../core/ids.ts';
import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { lastPosition, stampCrc, stampPosition } from '../batch-header.ts';
import { batch } from '../conformance/bench.conformance.ts';
import type { Answer, Cluster, Leader, Socket } from './cluster.ts';
import { Stale } from './error-codes.ts';
import { Pulse } from './pulse.ts';
import { Versions } from './versions.ts';

const NOT_LEADER = 6;
const OUT_OF_RANGE = 1;
const FENCED_EPOCH = 74;
const UNKNOWN_TOPIC_ID = 100;

/** Errors that pass, which any partition may be answered with. */
const PASSING = [NOT_LEADER, -1, 3, 9, 56, 75, 78] as const;

interface Partition {
  leader: number;
  epoch: number;
  start: Position;
  end: Position;
  readonly batches: Bytes[];
}

interface Asked {
  readonly topicId: string;
  readonly partition: number;
  readonly epoch: number;
  readonly position: Position;
  readonly maxBytes: number;
}

/** Two brokers in memory that understand Fetch, with faults on demand, on a virtual clock. */
export class FetchBrokers {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** Chances of a lost connection, and of an error that passes for a partition. */
  losses = 0;
  refusals = 0;
  throttleMs = 0;
  /** Everything asked, for tests that look: broker, lane, and how long it may be held. */
  readonly requests: {
    readonly broker: number;
    readonly role: string;
    readonly maxWaitMs: Millis;
    readonly at: number;
  }[] = [];
  /** Buffers lent and not given back. */
  lent = 0;
  readonly #topics = new Map<string, { id: string; readonly partitions: Partition[] }>();
  readonly #known = new Map<string, Leader>();
  readonly #held = new Set<() => void>();
  readonly #closing = new AbortController();
  #ids = 0;
  down = false;

  constructor(clock: VirtualClock, seed: number) {
    this.clock = clock;
    this.random = seededRandom(seed);
  }

  create(topic: string, partitions: number): void {
    const id = String(++this.#ids).padStart(16, 'i');
    const make = () => ({ leader: 1 + randomInt(this.random, 2), epoch: 1, start: 0, end: 0, batches: [] });
    this.#topics.set(topic, { id, partitions: Array.from({ length: partitions }, make) });
  }

  delete(topic: string): void {
    this.#topics.delete(topic);
    this.#news();
  }

  partition(topic: string, partition: number): Partition {
    return this.#topics.get(topic)!.partitions[partition]!;
  }

  append(topic: string, partition: number, records: number, bytes = 1): void {
    const found = this.partition(topic, partition);
    const added = Buffer.from(
      batch(...Array.from({ length: records }, (_, i) => `k=${'x'.repeat(bytes)}${found.end + i}`)),
    );
    stampPosition(added, 0, found.end);
    stampCrc(added, 0);
    found.batches.push(added);
    found.end += records;
    this.#news();
  }

  move(topic: string, partition: number): void {
    const found = this.partition(topic, partition);
    found.leader = 3 - found.leader;
    found.epoch++;
    this.#news();
  }

  cluster(): Cluster {
    let calls = 0;
    const cluster = {
      clock: this.clock,
      random: this.random,
      pulse: new Pulse(this.clock),
      library: {},
      patienceMs: 5000,
      closing: this.#closing.signal,
      leader: async (topic: string, partition: number) => this.#leader(topic, partition),
      stale: (what: { readonly topic?: string }) => {
        for (const name of this.#known.keys()) if (name.startsWith(`${what.topic}/`)) this.#known.delete(name);
      },
      // Only bounds are asked this way, of the one partition that a test reads out of range: start, stable and end.
      call: async () => {
        const { start, end } = [...this.#topics.values()][0]!.partitions[0]!;
        return { topics: [{ partitions: [{ offset: BigInt(calls++ % 3 === 0 ? start : end) }] }] };
      },
      socket: async (broker: number, role: string) => {
        if (this.down) throw new Stale('the broker cannot be reached', true);
        return new FetchSocket(this, broker, role);
      },
    };
    return cluster as unknown as Cluster;
  }

  /** Answers a request at once, or when there is something, or when its time is over. */
  answer(broker: number, role: string, body: Bytes, socket: FetchSocket): Promise<Answer> {
    const { maxWaitMs, asked } = parse(body);
    this.requests.push({ broker, role, maxWaitMs, at: this.clock.monotonic() });
    const lost = this.down || this.random.next() < this.losses;
    return new Promise((resolve, reject) => {
      let ended = false;
      const finish = (late: boolean) => {
        if (ended) return;
        if (lost || this.down || !socket.open) {
          socket.open = false;
          reject(new FlowError('log.timeout', 'the connection broke'));
          return end();
        }
        const { bytes, empty } = this.#write(broker, asked);
        if (empty && !late) return;
        end();
        this.lent++;
        let released = false;
        const release = () => {
          if (released) return;
          released = true;
          this.lent--;
          bytes.fill(0xdb);
        };
        resolve({ bytes, start: 0, end: bytes.length, release });
      };
      const news = () => finish(false);
      const cancel = this.clock.after(maxWaitMs, () => finish(true));
      const end = () => {
        ended = true;
        cancel();
        this.#held.delete(news);
      };
      this.#held.add(news);
      socket.onClose = news;
      void this.clock.turn().then(news);
    });
  }

  #news(): void {
    for (const news of [...this.#held]) news();
  }

  #leader(topic: string, partition: number): Leader {
    const name = partitionName(topic, partition);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.down) throw new Stale('no broker can be reached', true);
    const found = this.#topics.get(topic);
    if (found === undefined) throw new FlowError('topic.missing', `topic ${topic} does not exist; create it`);
    const { leader, epoch } = found.partitions[partition]!;
    const answer = { broker: leader, epoch, topicId: Buffer.from(found.id, 'latin1') };
    this.#known.set(name, answer);
    return answer;
  }

  #write(broker: number, asked: readonly Asked[]): { readonly bytes: Bytes; readonly empty: boolean } {
    const writer = new ByteWriter(1024);
    writer.int32(this.throttleMs);
    for (const byte of [0, 0, 0, 0, 0, 0]) writer.byte(byte);
    writer.varint(asked.length + 1);
    let empty = true;
    for (const one of asked) {
      const topic = [...this.#topics.values()].find(({ id }) => id === one.topicId);
      const found = topic?.partitions[one.partition];
      const code = this.#code(broker, one, found);
      const records = code === 0 ? recordsOf(found!, one) : Buffer.alloc(0);
      if (code !== 0 || records.length > 0) empty = false;
      const id = Buffer.from(one.topicId, 'latin1');
      writer.copy(id, 0, id.length);
      writer.varint(2);
      writer.int32(one.partition);
      writer.byte(code >> 8);
      writer.byte(code);
      writer.int64(found?.end ?? 0);
      writer.int64(found?.end ?? 0);
      writer.int64(found?.start ?? 0);
      writer.varint(0);
      writer.int32(-1);
      writer.varint(records.length + 1);
      writer.copy(records, 0, records.length);
      writer.byte(0);
      writer.byte(0);
    }
    writer.byte(0);
    return { bytes: writer.take(), empty };
  }

  #code(broker: number, { epoch, position }: Asked, found: Partition | undefined): number {
    if (found === undefined) return UNKNOWN_TOPIC_ID;
    if (found.leader !== broker) return NOT_LEADER;
    if (found.epoch !== epoch) return FENCED_EPOCH;
    if (this.random.next() < this.refusals) return PASSING[randomInt(this.random, PASSING.length)]!;
    return position < found.start || position > found.end ? OUT_OF_RANGE : 0;
  }
}

/** Batches from the one that holds the position; the last may be cut off, as brokers do. */
function recordsOf({ batches }: Partition, { position, maxBytes }: Asked): Bytes {
  const from = batches.findIndex((one) => lastPosition(one, 0) >= position);
  if (from < 0) return Buffer.alloc(0);
  const all = Buffer.concat(batches.slice(from));
  return all.subarray(0, Math.max(maxBytes, batches[from]!.length));
}

function parse(body: Bytes): { readonly maxWaitMs: Millis; readonly asked: readonly Asked[] } {
  const asked: Asked[] = [];
  let at = 21;
  for (let topics = body[at++]! - 1; topics > 0; topics--) {
    const topicId = body.toString('latin1', at, at + 16);
    at += 16;
    for (let left = body[at++]! - 1; left > 0; left--) {
      asked.push({
        topicId,
        partition: readInt32(body, at),
        epoch: readInt32(body, at + 4),
        position: readInt64(body, at + 8),
        maxBytes: readInt32(body, at + 28),
      });
      at += 33;
    }
    at++;
  }
  return { maxWaitMs: readInt32(body, 0), asked };
}

class FetchSocket implements Socket {
  open = true;
  readonly versions = new Versions('fake', new Map([[1, [4, 17]]]), new Map());
  onClose: () => void = () => undefined;
  readonly #brokers: FetchBrokers;
  readonly #broker: number;
  readonly #role: string;

  constructor(brokers: FetchBrokers, broker: number, role: string) {
    this.#brokers = brokers;
    this.#broker = broker;
    this.#role = role;
  }

  send(_api: number, _version: number, parts: readonly Bytes[]): Promise<Answer> {
    return this.#brokers.answer(this.#broker, this.#role, Buffer.concat(parts), this);
  }

  close(): void {
    this.open = false;
    this.onClose();
  }
}
