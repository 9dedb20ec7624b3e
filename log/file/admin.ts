import { join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Millis, Position } from '../../core/ids.ts';
import type { Groups } from '../groups.ts';
import type {
  GroupDescription,
  LogAdmin,
  LogReader,
  PartitionBounds,
  TopicDescription,
  TopicSettings,
} from '../log.ts';
import { checkTopic, completeSettings } from '../settings.ts';
import { scanSince } from '../since.ts';
import { type Context, checkOpen, partitionOf, topicOf } from './context.ts';
import { raiseStart } from './retention.ts';
import { Topic, topicFolder, writeTopicFile } from './topic.ts';

export class FileAdmin implements LogAdmin {
  readonly #context: Context;
  readonly #groups: Groups;
  readonly #topics: string;
  readonly #reader: () => LogReader;
  #serial = 0;

  constructor(context: Context, groups: Groups, reader: () => LogReader) {
    this.#context = context;
    this.#groups = groups;
    this.#reader = reader;
    this.#topics = join(context.directory, 'topics');
  }

  async create(topic: string, settings: TopicSettings): Promise<void> {
    checkOpen(this.#context);
    checkTopic(topic, settings);
    await this.#writing(async () => {
      const { topics, disk } = this.#context;
      if (topics.has(topic)) throw new FlowError('topic.exists', `topic ${topic} exists already; choose another name`);
      const id = this.#newId(topic);
      const staged = join(this.#topics, `.new-${id}`);
      const directory = join(this.#topics, topicFolder(topic, id));
      const whole = completeSettings(settings);
      for (let i = 0; i < whole.partitions; i++) await disk.makeDirectory(join(staged, String(i)));
      await writeTopicFile(disk, staged, { name: topic, id, settings: whole });
      failpoint('file.topic.staged');
      await disk.rename(staged, directory);
      await disk.syncDirectory(this.#topics);
      failpoint('file.topic.created');
      topics.set(topic, new Topic(disk, directory, topic, id, whole));
    });
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    checkOpen(this.#context);
    const found = this.#context.topics.get(topic);
    return found && { topic, id: found.id, settings: found.settings };
  }

  async list(): Promise<readonly string[]> {
    checkOpen(this.#context);
    return [...this.#context.topics.keys()].sort();
  }

  delete(topic: string): Promise<void> {
    return this.#writing(async () => {
      const found = topicOf(this.#context, topic);
      const { topics, disk, committer, positions } = this.#context;
      const gone = join(this.#topics, `.deleted-${found.id}`);
      await committer.record({ type: 'topic.delete', topic });
      await committer.between(async () => {
        found.deleted = true;
        topics.delete(topic);
        positions.deleteTopic(topic);
        for (const partition of found.partitions) await partition.close();
        await disk.rename(found.directory, gone);
        await disk.syncDirectory(this.#topics);
        failpoint('file.topic.deleted');
      });
      for (const partition of found.partitions) partition.tellAll();
      await disk.removeDirectory(gone);
    });
  }

  alter(topic: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): Promise<void> {
    return this.#writing(async () => {
      const found = topicOf(this.#context, topic);
      const whole = completeSettings({ ...found.settings, ...settings, partitions: found.settings.partitions });
      await writeTopicFile(this.#context.disk, found.directory, { name: topic, id: found.id, settings: whole });
      found.settings = whole;
    });
  }

  async deleteRecords(topic: string, partition: number, before: Position): Promise<Position> {
    const found = partitionOf(this.#context, topic, partition);
    await raiseStart(this.#context, found, Math.min(before, found.stable));
    return found.start;
  }

  async bounds(topic: string, partition: number): Promise<PartitionBounds> {
    const { start, stable, end } = partitionOf(this.#context, topic, partition);
    return { start, stable, end };
  }

  async positionSince(topic: string, partition: number, timestamp: Millis): Promise<Position> {
    const found = partitionOf(this.#context, topic, partition);
    const { start, stable, end } = found;
    // segments tell their greatest time without being read
    const from = Math.min(stable, Math.max(start, found.firstWithTime(timestamp)));
    return scanSince(this.#reader, { topic, partition }, { start: from, stable, end }, timestamp);
  }

  async groups(names?: readonly string[]): Promise<readonly GroupDescription[]> {
    checkOpen(this.#context);
    const known = new Set([...this.#context.positions.groups(), ...this.#groups.names()]);
    const asked = [...known].filter((name) => names?.includes(name) ?? true);
    return asked.sort().map((group) => ({
      group,
      generation: this.#groups.generation(group),
      members: this.#groups.members(group),
      tasks: this.#groups.tasks(group),
      positions: this.#context.positions.of(group),
    }));
  }

  async deleteGroup(group: string): Promise<void> {
    checkOpen(this.#context);
    this.#groups.checkEmpty(group);
    await this.#context.committer.record({ type: 'group.delete', group });
    this.#context.positions.deleteGroup(group);
    this.#groups.forget(group);
  }

  async setPositions(...[group, rows]: Parameters<LogAdmin['setPositions']>): Promise<void> {
    checkOpen(this.#context);
    this.#groups.checkEmpty(group);
    for (const { topic, partition } of rows) partitionOf(this.#context, topic, partition);
    const positions = rows.map(
      ({ topic, partition, position, metadata }) => [group, topic, partition, position, metadata] as const,
    );
    // As a commit of nobody, with nothing but positions.
    await this.#context.committer.record({
      ...{ type: 'commit', producerId: -1, epoch: -1, ranges: [], batches: [] },
      positions,
    });
    for (const row of positions) this.#context.positions.put(row);
  }

  /** Differs from every id that this or another folder gave to a topic of the name. */
  #newId(topic: string): string {
    for (;;) {
      const id = `${this.#context.clock.now().toString(36)}${(this.#serial++).toString(36)}`;
      if (!this.#context.ids.has(id)) {
        this.#context.ids.add(id);
        return id;
      }
      if (this.#serial > 1e9) throw new Error(`broken promise: no id is free for ${topic}`);
    }
  }

  #last: Promise<void> = Promise.resolve();

  /** Changes of topics happen one after the other. */
  #writing(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(async () => {
      checkOpen(this.#context);
      await this.#context.health.check();
      try {
        await work();
      } catch (thrown) {
        throw thrown instanceof FlowError ? thrown : this.#context.health.fail(thrown, false);
      }
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}
