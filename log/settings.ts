import { FlowError } from '../core/errors.ts';
import type { TopicSettings } from './log.ts';

/** Settings with every default filled in. */
export function completeSettings(settings: TopicSettings): Required<TopicSettings> {
  return {
    partitions: settings.partitions,
    cleanup: settings.cleanup ?? 'none',
    retentionMs: settings.retentionMs ?? -1,
    retentionBytes: settings.retentionBytes ?? -1,
    segmentBytes: settings.segmentBytes ?? 64 << 20,
    maxMessageBytes: settings.maxMessageBytes ?? 8 << 20,
    deleteRetentionMs: settings.deleteRetentionMs ?? 7 * 86_400_000,
  };
}

const NAME = /^[A-Za-z0-9._-]{1,249}$/;

/** Fails with `topic.settings` on a name that Kafka would not take, or on no partitions. */
export function checkTopic(topic: string, settings: TopicSettings): void {
  if (!NAME.test(topic) || topic === '.' || topic === '..') {
    throw new FlowError(
      'topic.settings',
      `topic name "${topic}" must be 1 to 249 of letters, digits, ".", "_" and "-"`,
    );
  }
  if (!Number.isSafeInteger(settings.partitions) || settings.partitions < 1) {
    throw new FlowError('topic.settings', `topic ${topic} needs at least one partition, not ${settings.partitions}`);
  }
}
