import { join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { TopicSettings } from '../log.ts';
import type { Disk } from './disk.ts';
import { readWhole, replaceFile } from './files.ts';
import { Partition } from './partition.ts';

const VERSION = 1;

/** A topic's folder: `topic.json` and a folder for each partition. */
export class Topic {
  readonly name: string;
  readonly id: string;
  readonly directory: string;
  settings: Required<TopicSettings>;
  readonly partitions: Partition[] = [];
  deleted = false;

  constructor(disk: Disk, directory: string, name: string, id: string, settings: Required<TopicSettings>) {
    this.name = name;
    this.id = id;
    this.directory = directory;
    this.settings = settings;
    for (let i = 0; i < settings.partitions; i++) {
      this.partitions.push(new Partition(disk, this, i, join(directory, String(i))));
    }
  }
}

export function topicFolder(name: string, id: string): string {
  return `${name}@${id}`;
}

export async function writeTopicFile(
  disk: Disk,
  directory: string,
  topic: { readonly name: string; readonly id: string; readonly settings: Required<TopicSettings> },
): Promise<void> {
  const { name, id, settings } = topic;
  const text = JSON.stringify({ version: VERSION, topic: name, id, settings }, undefined, 2);
  await replaceFile(disk, directory, 'topic.json', Buffer.from(`${text}\n`));
}

/** The topic in a folder, or `undefined` where it was never finished. */
export async function readTopic(disk: Disk, directory: string): Promise<Topic | undefined> {
  const path = join(directory, 'topic.json');
  const bytes = await readWhole(disk, path);
  if (bytes === undefined) return undefined;
  let stored: { version: number; topic: string; id: string; settings: Required<TopicSettings> };
  try {
    stored = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new FlowError('log.corrupt', `${path} is not readable; restore it from a copy`, { cause });
  }
  if (stored.version > VERSION) {
    throw new FlowError('log.format', `${path} has format ${stored.version}; this version reads up to ${VERSION}`);
  }
  return new Topic(disk, directory, stored.topic, stored.id, stored.settings);
}
