import { FlowError } from '../../core/errors.ts';
import type { TopicDescription, TopicSettings } from '../log.ts';
import { checkTopic, completeSettings } from '../settings.ts';
import { Partition } from './partition.ts';

export interface Topic {
  readonly id: string;
  settings: Required<TopicSettings>;
  readonly partitions: readonly Partition[];
}

export class Topics {
  readonly #topics = new Map<string, Topic>();
  #serial = 0;

  create(topic: string, settings: TopicSettings): void {
    checkTopic(topic, settings);
    if (this.#topics.has(topic)) throw new FlowError('topic.exists', `topic ${topic} exists already`);
    const partitions = Array.from({ length: settings.partitions }, (_, partition) => new Partition(topic, partition));
    this.#topics.set(topic, { id: `${topic}-${++this.#serial}`, settings: completeSettings(settings), partitions });
  }

  describe(name: string): TopicDescription | undefined {
    const topic = this.#topics.get(name);
    return topic && { topic: name, id: topic.id, settings: topic.settings };
  }

  names(): readonly string[] {
    return [...this.#topics.keys()].sort();
  }

  delete(name: string): void {
    for (const partition of this.get(name).partitions) partition.deleted = true;
    this.#topics.delete(name);
  }

  alter(name: string, settings: Partial<Omit<TopicSettings, 'partitions'>>): void {
    const topic = this.get(name);
    topic.settings = { ...topic.settings, ...settings, partitions: topic.settings.partitions };
  }

  get(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      throw new FlowError('topic.missing', `there is no topic ${name}; create it, or check its name`);
    }
    return topic;
  }

  partition(name: string, number: number): Partition {
    const topic = this.get(name);
    const partition = topic.partitions[number];
    if (partition === undefined) {
      throw new FlowError(
        'topic.missing',
        `topic ${name} has no partition ${number}; it has ${topic.partitions.length}, counted from 0`,
      );
    }
    return partition;
  }
}
