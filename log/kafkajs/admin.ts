import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import { Stale } from '../kafka/error-codes.ts';
import { copiesOf, creationConfigs, settingsOf, type TopicConfigs, topicConfigs } from '../kafka/topic-configs.ts';
import type { GroupDescription, LogAdmin, PartitionBounds, TopicDescription, TopicSettings } from '../log.ts';
import { checkTopic, completeSettings } from '../settings.ts';
import { deleteBelow, readBounds, readPositionSince } from './bounds.ts';
import type { Brokers } from './brokers.ts';
import { codeOf } from './failures.ts';
import { readGroups, removeGroup, setGroupPositions } from './group-admin.ts';
import type { LibraryAdmin } from './library.ts';

const TOPIC_TIMEOUT_MS: Millis = 30_000;
const UNKNOWN_TOPIC = 3;
const TOPIC_EXISTS = 36;
const TIMED_OUT = 7;
const MOST_COPIES = 3;
/** The kind of thing that has configs, and where a value was set on the topic itself. */
const TOPIC = 2;
const SET_ON_TOPIC = 1;

/** Administration through the library. What brokers answer before it holds everywhere is waited for. */
export class KafkaJsAdmin implements LogAdmin {
  readonly #brokers: Brokers;
  readonly #admin: LibraryAdmin;
  readonly #replication: number | undefined;

  constructor(brokers: Brokers, admin: LibraryAdmin, replication: number | undefined) {
    this.#brokers = brokers;
    this.#admin = admin;
    this.#replication = replication;
  }

  async create(topic: string, settings: TopicSettings): Promise<void> {
    this.#brokers.check();
    checkTopic(topic, settings);
    const copies = this.#replication ?? Math.min(MOST_COPIES, (await this.#all()).length);
    const configs = { ...topicConfigs(completeSettings(settings)), ...creationConfigs(copies) };
    const wish = {
      topic,
      numPartitions: settings.partitions,
      replicationFactor: copies,
      configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
    };
    let maybeMade = false;
    await this.#brokers.ask(`creating topic ${topic}`, async () => {
      try {
        const options = { topics: [wish], timeout: TOPIC_TIMEOUT_MS, waitForLeaders: false };
        if ((await this.#admin.createTopics(options)) || maybeMade) return;
      } catch (thrown) {
        const code = codeOf(thrown);
        if (code === TOPIC_EXISTS && maybeMade) return;
        maybeMade ||= code === undefined || code === TIMED_OUT;
        throw thrown;
      }
      throw new FlowError('topic.exists', `topic ${topic} exists already; choose another name`);
    });
    await this.#until(topic, `topic ${topic} to come up`, async () => {
      if ((await this.#brokers.partitions(topic)) === undefined) return false;
      for (let partition = 0; partition < settings.partitions; partition++)
        await this.#brokers.leader(topic, partition);
      return true;
    });
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    return this.#brokers.ask(`describing topic ${topic}`, async () => {
      const layout = await this.#brokers.layout(topic);
      if (layout === undefined) return undefined;
      const configs = new Map((await this.#configs(topic)).map(({ name, value }) => [name, value]));
      // The library asks in versions of the protocol that know no topic ids.
      const copies = copiesOf(layout.copies, this.#replication, configs);
      return { topic, id: topic, settings: settingsOf(layout.partitions, configs), copies };
    });
  }

  async list(): Promise<readonly string[]> {
    return this.#brokers.ask('listing topics', async () => {
      const { topicMetadata } = await this.#brokers.metadata([]);
      return topicMetadata
        .filter(({ isInternal }) => !isInternal)
        .map(({ topic }) => topic)
        .toSorted();
    });
  }

  async delete(topic: string): Promise<void> {
    this.#brokers.check();
    const there = await this.#brokers.ask(`describing topic ${topic}`, () => this.#brokers.partitions(topic));
    if (there === undefined) throw missing(topic);
    await this.#brokers.ask(`deleting topic ${topic}`, async () => {
      try {
        await this.#admin.deleteTopics({ topics: [topic], timeout: TOPIC_TIMEOUT_MS });
      } catch (thrown) {
        if (codeOf(thrown) !== UNKNOWN_TOPIC) throw thrown;
      }
    });
    await this.#until(topic, `topic ${topic} to go`, async () => (await this.#brokers.partitions(topic)) === undefined);
  }

  /** The library knows only the request that replaces all settings of a topic: those that stand are sent again. */
  async alter(topic: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): Promise<void> {
    this.#brokers.check();
    const wanted = topicConfigs(settings);
    await this.#brokers.ask(`altering topic ${topic}`, async () => {
      try {
        const standing = (await this.#configs(topic)).filter(({ isOwn }) => isOwn);
        const all: TopicConfigs = {
          ...Object.fromEntries(standing.map(({ name, value }) => [name, value])),
          ...wanted,
        };
        const configEntries = Object.entries(all).map(([name, value]) => ({ name, value }));
        await this.#admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: TOPIC, name: topic, configEntries }],
        });
      } catch (thrown) {
        throw codeOf(thrown) === UNKNOWN_TOPIC ? missing(topic) : thrown;
      }
    });
    await this.#until(topic, `the settings of topic ${topic} to hold`, async () => {
      const configs = new Map((await this.#configs(topic)).map(({ name, value }) => [name, value]));
      return Object.entries(wanted).every(([name, value]) => configs.get(name) === value);
    });
  }

  async deleteRecords(topic: string, partition: number, before: Position): Promise<Position> {
    return deleteBelow(this.#brokers, topic, partition, before);
  }

  async bounds(topic: string, partition: number): Promise<PartitionBounds> {
    return readBounds(this.#brokers, topic, partition);
  }

  async positionSince(topic: string, partition: number, timestamp: Millis): Promise<Position> {
    return readPositionSince(this.#brokers, topic, partition, timestamp);
  }

  async groups(names?: readonly string[]): Promise<readonly GroupDescription[]> {
    return readGroups(this.#brokers, this.#admin, names);
  }

  async deleteGroup(group: string): Promise<void> {
    await removeGroup(this.#brokers, this.#admin, group);
  }

  async setPositions(...[group, positions]: Parameters<LogAdmin['setPositions']>): Promise<void> {
    await setGroupPositions(this.#brokers, group, positions);
  }

  /** The largest batch that a topic takes; `undefined` where there is no such topic. */
  async limitOf(topic: string): Promise<number | undefined> {
    return (await this.describe(topic))?.settings.maxMessageBytes;
  }

  #all() {
    return this.#brokers.ask('looking for the brokers', () => this.#brokers.all());
  }

  async #configs(topic: string) {
    const resources = [{ type: TOPIC, name: topic }];
    const { resources: found } = await this.#admin.describeConfigs({ resources, includeSynonyms: false });
    return found[0]!.configEntries.map(({ configName, configValue, configSource }) => ({
      name: configName,
      value: configValue ?? '',
      isOwn: configSource === SET_ON_TOPIC,
    }));
  }

  /** Asks about a topic until something holds. */
  #until(topic: string, what: string, holds: () => Promise<boolean>): Promise<void> {
    return this.#brokers.ask(`waiting for ${what}`, async () => {
      this.#brokers.forget(topic);
      try {
        if (await holds()) return;
      } catch (thrown) {
        if (!isFlowError(thrown, 'topic.missing')) throw thrown;
      }
      throw new Stale('the brokers have not told one another yet', true);
    });
  }
}

function missing(topic: string): FlowError {
  return new FlowError('topic.missing', `topic ${topic} does not exist; create it, or check its name`);
}
