import type { Reader, Writer } from '@platformatic/kafka';
import { systemClock } from '../../core/clock.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import type { Cluster } from './cluster.ts';
import type { Library } from './library.ts';
import { Pulse } from './pulse.ts';

const FENCED = 90;
const INVALID_STATE = 48;
const PRODUCER = 7;

interface Stored {
  readonly record: string;
  state: 'open' | 'committed' | 'aborted';
}

interface Partition {
  readonly stored: Stored[];
  epoch: number;
}

/**
 * The coordinator of one transactional id and the partitions that it writes, in memory, with Kafka's rules for them: in
 * the repaired protocol each end gives the next epoch. Whoever ends a transaction may have it lose markers, as a broker
 * does that is started anew meanwhile: connections break then.
 */
export class FakeCoordinator {
  readonly pulse = new Pulse(systemClock);
  readonly #library: Library;
  readonly #random: Random;
  readonly #repaired: boolean;
  readonly #partitions = new Map<number, Partition>();
  readonly #added = new Set<number>();
  #epoch = -1;
  #state = 'Empty';
  /** Chance of a partition that the next end leaves it without its marker. */
  losing = 0;
  /** It was started anew, and nobody has asked it since: a partition's leader that does has no answer. */
  unnoticed = false;
  /** Batches that are still on their way. */
  readonly late: (() => unknown)[] = [];

  constructor(library: Library, protocol: 'repaired' | 'old', seed: number) {
    this.#library = library;
    this.#random = seededRandom(seed);
    this.#repaired = protocol === 'repaired';
  }

  cluster(): Cluster {
    const cluster = {
      clock: systemClock,
      random: this.#random,
      pulse: this.pulse,
      library: this.#library,
      patienceMs: 10_000,
      closing: new AbortController().signal,
      transactionVersion: this.#repaired ? 2 : 0,
      coordinator: async () => 1,
      leader: async () => ({ broker: 1 }),
      topic: async () => ({ partitions: this.#partitions.size }),
      stale: () => undefined,
      call: (_broker: number, _lane: string, request: (connection: unknown) => Promise<unknown>) =>
        request({ send: (...sent: Sent) => this.#send(...sent) }),
    };
    return cluster as unknown as Cluster;
  }

  partition(number: number): Partition {
    const found = this.#partitions.get(number) ?? { stored: [], epoch: -1 };
    this.#partitions.set(number, found);
    return found;
  }

  /** Records that nobody has decided. */
  open(): readonly string[] {
    const all = [...this.#partitions.values()].flatMap(({ stored }) => stored);
    return all.filter(({ state }) => state === 'open').map(({ record }) => record);
  }

  /**
   * A batch comes to a partition's leader, which asks here before it takes it; answers whether it did. It asked while the
   * coordinator was there that ended the last transaction: one that was started anew would have been noticed before.
   */
  produce(number: number, epoch: number, record: string): boolean {
    if (epoch !== this.#epoch || (!this.#repaired && !this.#added.has(number))) return false;
    const partition = this.partition(number);
    const { stored } = partition;
    if (partition.epoch !== epoch && stored.some(({ state }) => state === 'open')) return false;
    this.#state = 'Ongoing';
    this.#added.add(number);
    partition.epoch = epoch;
    if (!stored.some((each) => each.record === record && each.state === 'open')) stored.push({ record, state: 'open' });
    return true;
  }

  #send(...[api, , create, parse, , , done]: Sent): void {
    if (this.unnoticed) this.pulse.broke();
    this.unnoticed = false;
    while (this.late.length > 0 && this.#random.next() < 0.3) this.late.pop()!();
    const request = this.#library.Reader.from(create());
    const answer = this.#library.Writer.create();
    this.#answers[api]!(request, answer);
    done(null, parse(0, api, 0, this.#library.Reader.from(answer)));
  }

  readonly #answers: { readonly [api: number]: (request: Reader, answer: Writer) => void } = {
    22: (request, answer) => {
      request.readString();
      request.readInt32();
      const isFirst = request.readInt64() < 0n;
      const epoch = request.readInt16();
      const isFenced = !isFirst && (this.#state === 'Ongoing' || epoch !== this.#epoch);
      if (this.#state === 'Ongoing') this.#decide(false);
      else if (!isFenced) this.#epoch++;
      this.#state = 'Empty';
      answer.appendInt32(0).appendInt16(isFenced ? FENCED : 0);
      this.#stamp(answer);
    },
    24: (request, answer) => {
      request.readString();
      const code = this.#judge(request);
      const topics = request.readArray(() => {
        const topic = request.readString();
        return { topic, partitions: request.readArray(() => request.readInt32(), true, false) };
      });
      if (code === 0) {
        this.#state = 'Ongoing';
        for (const { partitions } of topics) for (const partition of partitions) this.#added.add(partition);
      }
      answer.appendInt32(0).appendArray(topics, (_, { topic, partitions }) => {
        answer.appendString(topic).appendArray(partitions, (__, partition) => {
          answer.appendInt32(partition).appendInt16(code);
        });
      });
    },
    26: (request, answer) => {
      request.readString();
      const code = this.#judge(request);
      const commit = request.readBoolean();
      const isOpen = this.#state === 'Ongoing';
      if (code === 0 && (isOpen || !commit)) this.#decide(commit);
      answer.appendInt32(0).appendInt16(code === 0 && commit && !isOpen ? INVALID_STATE : code);
      this.#stamp(answer);
    },
    65: (_, answer) => {
      answer.appendInt32(0).appendArray([0], () => {
        answer.appendInt16(0).appendString('id').appendString(this.#state).appendInt32(0).appendInt64(0n);
        this.#stamp(answer);
        answer.appendArray([], () => undefined);
      });
    },
    61: (_, answer) => {
      answer.appendInt32(0).appendArray(['t'], () => {
        answer.appendString('t').appendArray([...this.#partitions], (__, [number, { stored, epoch }]) => {
          const isOpen = stored.some(({ state }) => state === 'open');
          answer
            .appendInt32(number)
            .appendInt16(0)
            .appendString(null)
            .appendArray([0], () => {
              answer.appendInt64(BigInt(PRODUCER)).appendInt32(epoch).appendInt32(0).appendInt64(0n).appendInt32(0);
              answer.appendInt64(isOpen ? 0n : -1n);
            });
        });
      });
    },
  };

  #judge(request: Reader): number {
    request.readInt64();
    return request.readInt16() === this.#epoch ? 0 : FENCED;
  }

  #stamp(answer: Writer): void {
    answer.appendInt64(BigInt(PRODUCER)).appendInt16(this.#epoch);
  }

  /** Markers decide whatever is open in their partition, of this transaction and of those before. */
  #decide(commit: boolean): void {
    for (const number of this.#added) {
      if (this.#random.next() < this.losing) continue;
      for (const each of this.partition(number).stored)
        if (each.state === 'open') each.state = commit ? 'committed' : 'aborted';
    }
    this.#added.clear();
    if (this.losing > 0 && this.#repaired && this.#random.next() < 0.5) this.unnoticed = true;
    else if (this.losing > 0) this.pulse.broke();
    this.#state = commit ? 'CompleteCommit' : 'CompleteAbort';
    if (this.#repaired) this.#epoch++;
  }
}

type Sent = [
  api: number,
  version: number,
  create: () => Writer,
  parse: (correlation: number, api: number, version: number, reader: Reader) => unknown,
  requestTags: boolean,
  answerTags: boolean,
  done: (failure: Error | null, answer: unknown) => void,
];
