import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import type { GroupDescription, LogAdmin, PartitionBounds, TopicDescription, TopicSettings } from '../log.ts';
import { checkTopic, completeSettings } from '../settings.ts';
import type { Cluster } from './cluster.ts';
import { Stale } from './error-codes.ts';
import { brokerErrorOf } from './failures.ts';
import { readGroups, removeGroup } from './group-admin.ts';
import { setGroupPositions } from './group-positions.ts';
import type { LibraryConnection } from './library.ts';
import { deleteBelow, readBounds, readPositionSince } from './positions.ts';
import { retry } from './retry.ts';
import {
  CONFIG_NAMES,
  copiesOf,
  creationConfigs,
  settingsOf,
  type TopicConfigs,
  topicConfigs,
} from './topic-configs.ts';
import type { Versions } from './versions.ts';

const TOPIC_TIMEOUT_MS = 30_000;
const UNKNOWN_TOPIC = 3;
const TIMED_OUT = 7;
const TOPIC_EXISTS = 36;
/** The kind of thing that has configs. */
const TOPIC = 2 as const;
const SET = 0 as const;

/** Administration through the brokers. What they answer before it holds everywhere is waited for. */
export class KafkaAdmin implements LogAdmin {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async create(topic: string, settings: TopicSettings): Promise<void> {
    this.#check();
    checkTopic(topic, settings);
    const { createTopicsV7 } = this.#cluster.library;
    const { replication } = this.#cluster;
    const configs = { ...topicConfigs(completeSettings(settings)), ...creationConfigs(replication) };
    const wish = {
      name: topic,
      numPartitions: settings.partitions,
      replicationFactor: replication,
      assignments: [],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    };
    let maybeMade = false;
    let id: string | undefined;
    // whoever is told that a topic is there, since another was quicker, can use it too
    let exists: unknown;
    await this.#topicRequest(`creating topic ${topic}`, async (connection, versions) => {
      try {
        const api = versions.choose('CreateTopics', createTopicsV7.api);
        id = (await api.async(connection, [wish], TOPIC_TIMEOUT_MS, false)).topics[0]!.topicId;
      } catch (thrown) {
        const code = brokerErrorOf(thrown)?.apiCode;
        if (code === TOPIC_EXISTS && maybeMade) return;
        maybeMade ||= code === undefined || code === TIMED_OUT;
        throw thrown;
      }
    }).catch((thrown: unknown) => {
      if (!isFlowError(thrown, 'topic.exists')) throw thrown;
      exists = thrown;
    });
    await this.#until(topic, `topic ${topic} to come up`, async () => {
      const found = await this.#cluster.topic(topic);
      if (found === undefined || (id !== undefined && found.id !== id)) return false;
      for (let partition = 0; partition < found.partitions; partition++) await this.#cluster.leader(topic, partition);
      return true;
    });
    if (exists !== undefined) throw exists;
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    this.#check();
    return retry(
      this.#cluster,
      `describing topic ${topic}`,
      async () => {
        this.#cluster.stale({ topic });
        const found = await this.#cluster.topic(topic);
        if (found === undefined) return undefined;
        const configs = await this.#configs(topic);
        const copies = copiesOf(found.copies, this.#cluster.askedReplication, configs);
        return { topic, id: found.id, settings: settingsOf(found.partitions, configs), copies };
      },
      { stale: () => this.#cluster.stale({ controller: true }) },
    );
  }

  /** The largest batch that a topic takes; `undefined` where there is no such topic. */
  async limitOf(topic: string): Promise<number | undefined> {
    return (await this.describe(topic))?.settings.maxMessageBytes;
  }

  async list(): Promise<readonly string[]> {
    this.#check();
    return (await this.#cluster.topics()).toSorted();
  }

  async delete(topic: string): Promise<void> {
    this.#check();
    const { deleteTopicsV6 } = this.#cluster.library;
    this.#cluster.stale({ topic });
    const before = await this.#cluster.topic(topic);
    let maybeGone = false;
    await this.#topicRequest(`deleting topic ${topic}`, async (connection, versions) => {
      try {
        const api = versions.choose('DeleteTopics', deleteTopicsV6.api);
        await api.async(connection, [{ name: topic, topicId: null }], TOPIC_TIMEOUT_MS);
      } catch (thrown) {
        const code = brokerErrorOf(thrown)?.apiCode;
        if (code === UNKNOWN_TOPIC && maybeGone) return;
        maybeGone ||= code === undefined || code === TIMED_OUT;
        throw code === UNKNOWN_TOPIC ? missing(topic) : thrown;
      }
    });
    await this.#until(topic, `topic ${topic} to go`, async () => {
      const found = await this.#cluster.topic(topic);
      return found === undefined || found.id !== before?.id;
    });
  }

  async alter(topic: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): Promise<void> {
    this.#check();
    const { incrementalAlterConfigsV1 } = this.#cluster.library;
    const configs = topicConfigs(settings);
    const changes = Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: SET }) as const);
    await this.#topicRequest(`altering topic ${topic}`, async (connection, versions) => {
      const api = versions.choose('IncrementalAlterConfigs', incrementalAlterConfigsV1.api);
      const resource = { resourceType: TOPIC, resourceName: topic, configs: changes } as const;
      await api.async(connection, [resource], false).catch((thrown: unknown) => {
        throw brokerErrorOf(thrown)?.apiCode === UNKNOWN_TOPIC ? missing(topic) : thrown;
      });
    });
    await this.#until(topic, `the settings of topic ${topic} to hold`, async () => {
      return holds(configs, await this.#configs(topic));
    });
  }

  async deleteRecords(topic: string, partition: number, before: Position): Promise<Position> {
    this.#check();
    return deleteBelow(this.#cluster, topic, partition, before);
  }

  async bounds(topic: string, partition: number): Promise<PartitionBounds> {
    this.#check();
    return readBounds(this.#cluster, topic, partition);
  }

  async positionSince(topic: string, partition: number, timestamp: Millis): Promise<Position> {
    this.#check();
    return readPositionSince(this.#cluster, topic, partition, timestamp);
  }

  async groups(names?: readonly string[]): Promise<readonly GroupDescription[]> {
    this.#check();
    return readGroups(this.#cluster, names);
  }

  async deleteGroup(group: string): Promise<void> {
    this.#check();
    await removeGroup(this.#cluster, group);
  }

  async setPositions(...[group, positions]: Parameters<LogAdmin['setPositions']>): Promise<void> {
    this.#check();
    await setGroupPositions(this.#cluster, group, positions);
  }

  #check(): void {
    if (this.#cluster.closing.aborted) throw new FlowError('log.closed', 'the log was closed');
  }

  /** A request that the controller answers. */
  #topicRequest(
    what: string,
    request: (connection: LibraryConnection, versions: Versions) => Promise<void>,
  ): Promise<void> {
    const cluster = this.#cluster;
    const once = async () => cluster.call(await cluster.controller(), 'admin', request);
    return retry(cluster, what, once, { stale: () => cluster.stale({ controller: true }) });
  }

  async #configs(topic: string): Promise<ReadonlyMap<string, string>> {
    const { describeConfigsV4 } = this.#cluster.library;
    const resource = { resourceType: TOPIC, resourceName: topic, configurationKeys: [...CONFIG_NAMES] };
    const answer = await this.#cluster.call(await this.#cluster.controller(), 'admin', (connection, versions) =>
      versions.choose('DescribeConfigs', describeConfigsV4.api).async(connection, [resource], false, false),
    );
    return new Map(answer.results[0]!.configs.map(({ name, value }) => [name, value ?? '']));
  }

  /** Asks about a topic until something holds. */
  #until(topic: string, what: string, holds: () => Promise<boolean>): Promise<void> {
    return retry(this.#cluster, `waiting for ${what}`, async () => {
      this.#cluster.stale({ topic });
      try {
        if (await holds()) return;
      } catch (thrown) {
        if (!isFlowError(thrown, 'topic.missing')) throw thrown;
      }
      throw new Stale('the brokers have not told one another yet', true);
    });
  }
}

function holds(wanted: TopicConfigs, configs: ReadonlyMap<string, string>): boolean {
  return Object.entries(wanted).every(([name, value]) => configs.get(name) === value);
}

function missing(topic: string): FlowError {
  return new FlowError('topic.missing', `topic ${topic} does not exist; create it, or check its name`);
}
