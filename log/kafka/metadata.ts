import { FlowError } from '../../core/errors.ts';
import { partitionName } from '../../core/ids.ts';
import type { BrokerId, KafkaTopic, Leader } from './cluster.ts';
import { failureOf, Stale } from './error-codes.ts';
import type { Metadata } from './library.ts';

const UNKNOWN_TOPIC = 3;
const NO_BROKER: BrokerId = -1;

/** A topic as the brokers last told of it. */
interface CachedTopic extends KafkaTopic {
  readonly leaders: readonly (Leader | undefined)[];
}

type AnsweredTopic = Metadata['topics'][number];

/** Asks any broker about some topics; none means about the brokers alone. */
export type AskMetadata = (topics: readonly string[]) => Promise<Metadata>;

/**
 * What is known of topics. Questions that come at the same time travel in one request, and whoever asks while an
 * answer is under way may get that one.
 */
export class TopicCache {
  readonly #ask: AskMetadata;
  readonly #topics = new Map<string, CachedTopic>();
  readonly #wanted = new Map<string, Promise<CachedTopic | undefined>>();
  /** Of the next request. */
  #batch: { readonly topics: Set<string>; readonly answer: Promise<Metadata> } | undefined;

  constructor(ask: AskMetadata) {
    this.#ask = ask;
  }

  stale(topic: string): void {
    this.#topics.delete(topic);
  }

  /** `undefined` where the brokers know of no such topic. Fails with a {@link Stale} where they cannot tell now. */
  topic(topic: string): Promise<CachedTopic | undefined> {
    const known = this.#topics.get(topic);
    if (known !== undefined) return Promise.resolve(known);
    const wanted = this.#wanted.get(topic);
    if (wanted !== undefined) return wanted;
    const asked = this.#fetch(topic).finally(() => this.#wanted.delete(topic));
    this.#wanted.set(topic, asked);
    return asked;
  }

  /** Fails with a {@link Stale} where the topic or partition is not there, or has no leader now. */
  async leader(topic: string, partition: number): Promise<Leader> {
    const known = await this.topic(topic);
    const leader = known?.leaders[partition];
    if (leader !== undefined) return leader;
    this.stale(topic);
    if (known === undefined) throw new Missing(`topic ${topic} does not exist; create it, or check its name`);
    if (partition < 0 || partition >= known.partitions) {
      throw new Missing(
        `${partitionName(topic, partition)} does not exist, the topic has ${known.partitions} partitions; ` +
          'check the number, or create the topic with more',
      );
    }
    throw new Stale(`${partitionName(topic, partition)} has no leader now`, true);
  }

  async #fetch(topic: string): Promise<CachedTopic | undefined> {
    const answer = await this.#next(topic);
    const found = answer.topics.find(({ name }) => name === topic);
    if (found === undefined || found.errorCode === UNKNOWN_TOPIC) return undefined;
    if (found.errorCode !== 0) throw failureOf(found.errorCode, `topic ${topic}`);
    const cached = cachedTopic(topic, found);
    this.#topics.set(topic, cached);
    return cached;
  }

  #next(topic: string): Promise<Metadata> {
    if (this.#batch === undefined) {
      const topics = new Set<string>();
      const answer = Promise.resolve().then(() => {
        this.#batch = undefined;
        return this.#ask([...topics]);
      });
      this.#batch = { topics, answer };
    }
    this.#batch.topics.add(topic);
    return this.#batch.answer;
  }
}

/** A topic or partition is not known to the brokers, which may have news on its way to them. */
export class Missing extends Stale {
  constructor(message: string) {
    super(message, true, UNKNOWN_TOPIC);
  }

  final(): FlowError {
    return new FlowError('topic.missing', this.message);
  }
}

function cachedTopic(topic: string, { topicId, partitions }: AnsweredTopic): CachedTopic {
  const bytes = Buffer.from(topicId.replaceAll('-', ''), 'hex');
  const leaders = new Array<Leader | undefined>(partitions.length);
  for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
    if (leaderId === NO_BROKER) continue;
    leaders[partitionIndex] = { broker: leaderId, epoch: leaderEpoch, topicId: bytes };
  }
  const copies = Math.min(...partitions.map(({ replicaNodes }) => replicaNodes.length));
  return { topic, id: topicId, partitions: partitions.length, copies, leaders };
}
