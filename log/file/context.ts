import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { partitionName } from '../../core/ids.ts';
import type { BufferPool } from './buffers.ts';
import type { Committer } from './committer.ts';
import type { Disk } from './disk.ts';
import type { Health } from './health.ts';
import type { Partition } from './partition.ts';
import type { Positions } from './positions.ts';
import type { Producers } from './producers.ts';
import type { Topic } from './topic.ts';

export interface FileLogOptions {
  /** Bytes of journal beyond which batches are put into their segments and a new journal begins. Default 64 MiB. */
  readonly journalBytes?: number;
  /** Bytes of a transaction up to which its batches go into the journal entry. Default 256 KiB. */
  readonly embedBytes?: number;
  /**
   * Time between two rounds of retention and compaction in the background; 0 for none. Default 30 s. A partition is
   * compacted in a round when as much has come as was left by the last one.
   */
  readonly maintainMs?: number;
}

/** What the parts of an open file log share. */
export interface Context {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly options: Required<FileLogOptions>;
  readonly topics: Map<string, Topic>;
  readonly producers: Producers;
  readonly positions: Positions;
  readonly committer: Committer;
  readonly health: Health;
  readonly buffers: BufferPool;
  /** Topic ids that were given. */
  readonly ids: Set<string>;
  closed: boolean;
}

export function topicOf(context: Context, topic: string): Topic {
  checkOpen(context);
  const found = context.topics.get(topic);
  if (found === undefined) {
    throw new FlowError('topic.missing', `topic ${topic} does not exist; create it, or check its name`);
  }
  return found;
}

export function partitionOf(context: Context, topic: string, partition: number): Partition {
  const found = topicOf(context, topic);
  const answer = found.partitions[partition];
  if (answer === undefined) {
    throw new FlowError(
      'topic.missing',
      `there is no ${partitionName(topic, partition)}: the topic has ${found.settings.partitions} partitions`,
    );
  }
  return answer;
}

export function checkOpen(context: Context): void {
  if (context.closed) throw new FlowError('log.closed', `the log in ${context.directory} was closed`);
}
