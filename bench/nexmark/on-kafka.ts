import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createKafkaLog } from '../../log/kafka/kafka.ts';
import type { Log } from '../../log/log.ts';
import { readTopic } from '../../runtime/runtime.ts';
import { type Broker, startBroker } from '../kafka/broker.ts';
import { builtProgram } from '../kafka/build.ts';
import { Child } from '../kafka/child.ts';
import { startPeer } from '../kafka/peer.ts';
import { type Moment, momentOf, peakMbOf } from '../kafka/procfs.ts';
import { Digest } from './digest.ts';
import { timeOf } from './events.ts';
import { events, load } from './load.ts';
import { QUERIES } from './queries.ts';
import type { Query } from './query.ts';
import { auctionAvro, bidAvro, PARTITIONS, personAvro } from './topics.ts';

/** Those that are written for Kafka Streams too, in `bench/peers/kafka-streams`. */
export const PEER_QUERIES: readonly string[] = ['q0', 'q2', 'q3', 'q5', 'q7', 'q8'];
const COMMIT_INTERVAL_MS = 100;
const LOOK_MS = 50;
/** Looks in a row that find everything committed, before it is believed: behind a repartition something may come. */
const QUIET_LOOKS = 4;
const PATIENCE_MS = 300_000;

/** What both sides run on, the peer at the settings that suited it in the benchmark beside Kafka Streams. */
const PEER_SETTINGS = {
  'set.processing.guarantee': 'exactly_once_v2',
  'set.commit.interval.ms': COMMIT_INTERVAL_MS,
  'set.num.stream.threads': 1,
  'set.producer.compression.type': 'lz4',
  'set.producer.batch.size': 262_144,
  'set.producer.linger.ms': 20,
  'set.consumer.max.poll.records': 10_000,
  'set.consumer.max.partition.fetch.bytes': 4 << 20,
  'set.statestore.cache.max.bytes': 64 << 20,
};
const JAVA = ['-Xms1g', '-Xmx1g', '-XX:+UseParallelGC'];

/** What the engine and the peer took for the second half of the inputs, and whether both told the truth. */
export interface Compared {
  readonly engineNs: number;
  readonly peerNs: number;
  readonly enginePeakMb: number;
  readonly peerPeakMb: number;
}

interface Side {
  readonly ns: number;
  readonly peakMb: number;
}

export class KafkaNexmark {
  readonly #broker: Broker;
  readonly #log: Log;
  readonly #folder: string;
  readonly #count: number;
  readonly #seed: number;
  #runs = 0;

  private constructor(broker: Broker, log: Log, folder: string, count: number, seed: number) {
    this.#broker = broker;
    this.#log = log;
    this.#folder = folder;
    this.#count = count;
    this.#seed = seed;
  }

  /** Starts a broker and loads the events into it. */
  static async open(folder: string, count: number, seed: number): Promise<KafkaNexmark> {
    const broker = startBroker(folder);
    try {
      const log = await createKafkaLog({ brokers: broker.brokers, clock: systemClock, random: seededRandom(seed) });
      await load(log, count, seed);
      return new KafkaNexmark(broker, log, folder, count, seed);
    } catch (thrown) {
      broker.stop();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#log.close();
    this.#broker.stop();
  }

  /** Both sides once, one behind the other. */
  async pair(name: string, engineFirst: boolean): Promise<Compared> {
    const sides = [() => this.#engine(name), () => this.#peer(name)];
    if (!engineFirst) sides.reverse();
    const told = [await sides[0]!(), await sides[1]!()] as const;
    const [engine, peer] = engineFirst ? told : [told[1], told[0]];
    return { engineNs: engine.ns, peerNs: peer.ns, enginePeakMb: engine.peakMb, peerPeakMb: peer.peakMb };
  }

  #engine(name: string): Promise<Side> {
    const directory = join(this.#folder, `engine-${++this.#runs}`);
    const job = { brokers: this.#broker.brokers, directory, query: name, commitIntervalMs: COMMIT_INTERVAL_MS };
    return this.#measure(
      name,
      name,
      () => new Child(process.execPath, [builtProgram('nexmark/kafka-engine'), JSON.stringify(job)]),
    );
  }

  #peer(name: string): Promise<Side> {
    const application = `peer-${name}-${++this.#runs}`;
    const query = QUERIES[name]!;
    const schemas = {
      'schema.person': JSON.stringify(personAvro.schema),
      'schema.auction': JSON.stringify(auctionAvro.schema),
      'schema.bid': JSON.stringify(bidAvro.schema),
      'schema.count': JSON.stringify(query.between ?? null),
      'schema.out': JSON.stringify(query.output.valueSerde.schema),
    };
    const state = join(this.#folder, application);
    const places = { brokers: this.#broker.brokers, application, query: name, out: query.output.name, state };
    return this.#measure(name, application, () =>
      startPeer('nexmark', { ...places, ...schemas, ...PEER_SETTINGS }, JAVA),
    );
  }

  async #measure(name: string, application: string, start: () => Child): Promise<Side> {
    const query = QUERIES[name]!;
    await this.#clear(query, application);
    await this.#log.admin.create(query.output.name, { partitions: query.output.partitions });
    const child = start();
    const giveUp = systemClock.after(PATIENCE_MS, () => child.kill());
    try {
      await child.next();
      const all = await this.#until(query, application, 0.5);
      const from = momentOf(child.pid, this.#broker.pid);
      await this.#until(query, application, 1);
      const to = momentOf(child.pid, this.#broker.pid);
      if (to.wallMs - from.wallMs < LOOK_MS * (QUIET_LOOKS + 2))
        throw new Error(`${name}: too few events to measure; give more`);
      const peakMb = peakMbOf(child.pid);
      await child.end();
      await this.#check(query, name, application);
      return { ns: cpuNs(from, to) / (all / 2), peakMb };
    } finally {
      giveUp();
      child.kill();
      await this.#clear(query, application);
    }
  }

  /** Waits until a share of what the application reads is committed, its repartition topics too; answers how much it is. */
  async #until(query: Query, application: string, share: number): Promise<number> {
    for (let quiet = 0; ; ) {
      await systemClock.sleep(LOOK_MS);
      const inputs = await this.#ends(query.inputs);
      const due = share < 1 ? inputs : await this.#ends([...query.inputs, ...(await this.#repartitions(application))]);
      const total = sum(due.values());
      const done = await this.#committed(application, due);
      quiet = done >= total * share ? quiet + 1 : 0;
      if (quiet >= (share < 1 ? 1 : QUIET_LOOKS)) return sum(inputs.values());
    }
  }

  async #repartitions(application: string): Promise<readonly string[]> {
    const topics = await this.#log.admin.list();
    return topics.filter((topic) => topic.includes(application) && topic.endsWith('repartition'));
  }

  async #ends(topics: readonly string[]): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    for (const topic of topics) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        ends.set(`${topic}/${partition}`, (await this.#log.admin.bounds(topic, partition)).stable);
      }
    }
    return ends;
  }

  async #committed(application: string, due: ReadonlyMap<string, number>): Promise<number> {
    const groups = await this.#log.admin.groups();
    const own = groups.find(({ group }) => group === application || group.endsWith(`.${application}`));
    return sum(
      (own?.positions ?? []).map(({ topic, partition, position }) =>
        Math.min(position, due.get(`${topic}/${partition}`) ?? 0),
      ),
    );
  }

  async #check(query: Query, name: string, side: string): Promise<void> {
    const found = new Digest();
    const due = new Digest();
    const { closed } = query;
    const last = timeOf(this.#count - 1);
    const results = query.results((line) => {
      if (closed === undefined || closed(line, last)) found.add(line);
    });
    await readTopic(this.#log, query.output, (value, key) => results.take(value, key));
    results.end();
    for (const line of query.expected(events(this.#count, this.#seed))) {
      if (closed === undefined || closed(line, last)) due.add(line);
    }
    if (found.text === due.text && found.lines === due.lines) return;
    throw new Error(
      `${name}: the output of ${side} is not what the events make: ${found.lines} lines, ${due.lines} expected`,
    );
  }

  async #clear(query: Query, application: string): Promise<void> {
    for (const topic of await this.#log.admin.list()) {
      if (topic === query.output.name || topic.includes(`${application}-`) || topic.startsWith(`nf.${application}.`)) {
        await this.#log.admin.delete(topic);
      }
    }
    const groups = await this.#log.admin.groups();
    for (const { group, members } of groups) {
      if (members.length === 0 && (group === application || group.endsWith(`.${application}`))) {
        await this.#log.admin.deleteGroup(group);
      }
    }
  }
}

function cpuNs(from: Moment, to: Moment): number {
  return (to.engine - from.engine) * 1e9;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
