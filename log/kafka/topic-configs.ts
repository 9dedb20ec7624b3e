import type { TopicCopies, TopicSettings } from '../log.ts';

/** Names and values of a topic's settings as brokers have them. */
export type TopicConfigs = Readonly<Record<string, string>>;

const MAX_LONG = '9223372036854775807';
/** Brokers of Kafka 4 take no smaller segments. */
const SMALLEST_SEGMENT_BYTES = 1 << 20;
/** With so many copies, one may be missing while records are taken; none that was answered is lost with one broker. */
const COPIES_FOR_SPARE = 3;

/** What each setting of ours is called there. */
const NAMES = {
  cleanup: 'cleanup.policy',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
  segmentBytes: 'segment.bytes',
  maxMessageBytes: 'max.message.bytes',
  deleteRetentionMs: 'delete.retention.ms',
} as const;

/** How many copies must be in step before a record is taken. */
const IN_STEP = 'min.insync.replicas';

export const CONFIG_NAMES: readonly string[] = [...Object.values(NAMES), IN_STEP];

/**
 * Settings as configs. Kafka has no cleanup of `none`: it is `delete` that keeps for ever, so giving a topic of that
 * kind a retention makes it delete.
 */
export function topicConfigs(settings: Partial<TopicSettings>): TopicConfigs {
  const configs: Record<string, string> = {};
  const { cleanup, segmentBytes } = settings;
  for (const key of ['retentionMs', 'retentionBytes', 'maxMessageBytes', 'deleteRetentionMs'] as const) {
    if (settings[key] !== undefined) configs[NAMES[key]] = String(settings[key]);
  }
  if (segmentBytes !== undefined) configs[NAMES.segmentBytes] = String(Math.max(SMALLEST_SEGMENT_BYTES, segmentBytes));
  if (cleanup !== undefined) configs[NAMES.cleanup] = cleanup === 'none' ? 'delete' : cleanup;
  if (cleanup === 'none') {
    configs[NAMES.retentionMs] = '-1';
    configs[NAMES.retentionBytes] = '-1';
  }
  return configs;
}

/** What a topic that we make has besides: event times may be of any age, and segments end by size alone. */
export function creationConfigs(copies: number): TopicConfigs {
  return {
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.before.max.ms': MAX_LONG,
    'message.timestamp.after.max.ms': MAX_LONG,
    // Brokers reckon the age of a segment by record timestamps: disorder of weeks would cut one a batch.
    'segment.ms': MAX_LONG,
    ...(copies >= COPIES_FOR_SPARE ? { [IN_STEP]: String(copies - 1) } : {}),
  };
}

export function settingsOf(partitions: number, configs: ReadonlyMap<string, string>): Required<TopicSettings> {
  const number = (name: string) => Number(configs.get(name) ?? -1);
  const retentionMs = number(NAMES.retentionMs);
  const retentionBytes = number(NAMES.retentionBytes);
  const policy = (configs.get(NAMES.cleanup) ?? '').split(',').map((part) => part.trim());
  const compact = policy.includes('compact');
  const deletes = policy.includes('delete');
  const keeps = retentionMs < 0 && retentionBytes < 0;
  return {
    partitions,
    cleanup: compact ? (deletes ? 'compact,delete' : 'compact') : deletes && !keeps ? 'delete' : 'none',
    retentionMs,
    retentionBytes,
    segmentBytes: number(NAMES.segmentBytes),
    maxMessageBytes: number(NAMES.maxMessageBytes),
    deleteRetentionMs: number(NAMES.deleteRetentionMs),
  };
}

/** `asked`: as the option says; `undefined` or below 1 where nothing was asked. */
export function copiesOf(fewest: number, asked: number | undefined, configs: ReadonlyMap<string, string>): TopicCopies {
  const wish = asked === undefined || asked < 1 ? {} : { asked };
  return { fewest, needed: Number(configs.get(IN_STEP) ?? 1), ...wish };
}
