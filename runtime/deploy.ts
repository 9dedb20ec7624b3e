import {
  CHANGELOG_DELETE_RETENTION_MS,
  changelogTopic,
  ledgerTopic,
  progressTopic,
} from '../checkpoints/checkpoints.ts';
import { type ErrorCode, FlowError } from '../core/errors.ts';
import { createOnce, type LogAdmin, type TopicDescription, type TopicSettings } from '../log/log.ts';
import { STORE_FORMS } from '../topology/plan.ts';
import { checkTopics, type PlanFault, type TopicFindings } from '../topology/topology.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

const CHANGELOG_SEGMENT_BYTES = 64 * 1024 * 1024;

interface NeededTopic {
  readonly name: string;
  readonly settings: TopicSettings;
}

/** Every topic the application needs, with the settings under which it is made here. */
function neededTopics(index: PlanIndex, specs: readonly TaskSpec[]): readonly NeededTopic[] {
  const { plan } = index;
  const needed: NeededTopic[] = [];
  for (const { name, partitions } of plan.topics) needed.push({ name, settings: { partitions } });
  for (const stage of plan.stages) {
    const partitions = Math.max(1, specs.filter((spec) => spec.stage === stage.id).length);
    const changelog = {
      partitions,
      segmentBytes: CHANGELOG_SEGMENT_BYTES,
      deleteRetentionMs: CHANGELOG_DELETE_RETENTION_MS,
    };
    for (const name of stage.stores) {
      const windowed = STORE_FORMS[index.stores.get(name)!.kind].paned;
      needed.push({
        name: changelogTopic(plan.name, name),
        settings: { ...changelog, cleanup: windowed ? 'compact,delete' : 'compact' },
      });
    }
    needed.push({
      name: progressTopic(plan.name, stage.id),
      settings: { ...changelog, cleanup: 'compact' },
    });
  }
  needed.push({ name: ledgerTopic(plan.name), settings: { partitions: 1, cleanup: 'compact' } });
  needed.push({ name: index.deadLetters, settings: { partitions: 1 } });
  return needed;
}

/** The names of all topics that the application needs. */
export function neededNames(index: PlanIndex): readonly string[] {
  return neededTopics(index, []).map(({ name }) => name);
}

/** Told of what may lose records that somebody expects, though the plan can run. */
export type Warn = (message: string) => void;

/** What a topic takes. */
export interface TopicLimit {
  /** The largest batch. */
  readonly maxBytes: number;
  /** Each record has to be looked at, since one without a key is refused. */
  readonly compacted: boolean;
}

/** By topic. */
export type TopicLimits = ReadonlyMap<string, TopicLimit>;

const UNLIMITED: TopicLimit = { maxBytes: Number.POSITIVE_INFINITY, compacted: false };

/** Topics that nobody has looked at take everything. */
export function limitOf(limits: TopicLimits): (topic: string) => TopicLimit {
  return (topic) => limits.get(topic) ?? UNLIMITED;
}

/**
 * Makes the topics that the application owns or writes, and checks those that are there: one error names everything
 * that is missing or does not fit, and then nothing was made. Answers what each topic takes.
 */
export async function prepareTopics(
  admin: LogAdmin,
  index: PlanIndex,
  specs: readonly TaskSpec[],
  warn: Warn = () => undefined,
): Promise<TopicLimits> {
  const { needed, found, faults, warnings } = await inspectTopics(admin, index, specs);
  refuse(faults);
  for (const { message } of warnings) warn(message);
  const missing = needed.filter(({ name }) => !found.has(name));
  await Promise.all(
    missing.map(async ({ name, settings }) => {
      await createOnce(admin, name, settings);
      const made = await admin.describe(name);
      if (made !== undefined) found.set(name, made);
    }),
  );
  return new Map(
    [...found].map(([name, { settings }]) => [
      name,
      { maxBytes: settings.maxMessageBytes, compacted: settings.cleanup.includes('compact') },
    ]),
  );
}

interface Inspected {
  readonly needed: readonly NeededTopic[];
  /** Those that are there. */
  readonly found: Map<string, TopicDescription>;
  readonly faults: readonly PlanFault[];
  readonly warnings: readonly PlanFault[];
}

/** Looks at every topic that the application needs; changes nothing. */
export async function inspectTopics(admin: LogAdmin, index: PlanIndex, specs: readonly TaskSpec[]): Promise<Inspected> {
  const needed = neededTopics(index, specs);
  const found = new Map<string, TopicDescription>();
  await Promise.all(
    needed.map(async ({ name }) => {
      const description = await admin.describe(name);
      if (description !== undefined) found.set(name, description);
    }),
  );
  const settings = new Map([...found].map(([name, { settings }]) => [name, settings]));
  const { faults, warnings } = checkTopics(index.plan, settings);
  const ours = needed.flatMap((topic) => ownTopicFault(index, topic, settings.get(topic.name)) ?? []);
  const copies = copyFindings(index, [...found.values()]);
  return {
    needed,
    found,
    faults: [...faults, ...ours, ...copies.faults],
    warnings: [...warnings, ...copies.warnings],
  };
}

/**
 * What is wrong with the copies of topics that the application writes: too few to take records at all, or fewer than
 * whoever opened the log asked for, which is only told where the topic is also another's.
 */
function copyFindings(index: PlanIndex, found: readonly TopicDescription[]): TopicFindings {
  const faults: PlanFault[] = [];
  const warnings: PlanFault[] = [];
  const written = new Set(index.plan.stages.flatMap(({ writes }) => writes));
  for (const { topic, copies } of found) {
    const planned = index.topics.get(topic);
    if (copies === undefined || (planned !== undefined && !written.has(topic))) continue;
    const { fewest, needed, asked = 0 } = copies;
    const has = `topic ${topic} has ${fewest} ${fewest === 1 ? 'copy' : 'copies'} of a partition`;
    const cure = 'add copies with kafka-reassign-partitions.sh';
    if (fewest < needed) {
      const message = `${has} and takes no records, since its min.insync.replicas is ${needed}; ${cure}, or set that to ${fewest}`;
      faults.push({ code: 'topic-settings', node: null, message });
    } else if (fewest < asked) {
      const message = `${has} where kafka.replication is ${asked}, and is lost with fewer brokers; ${cure}, or ask for ${fewest}`;
      const list = planned === undefined || planned.internal ? faults : warnings;
      list.push({ code: 'topic-settings', node: null, message });
    }
  }
  return { faults, warnings };
}

/** What is wrong with a topic that only the engine uses, beside those that the plan names. */
function ownTopicFault(
  { topics }: PlanIndex,
  { name, settings }: NeededTopic,
  found: TopicSettings | undefined,
): PlanFault | undefined {
  if (found === undefined || topics.has(name)) return undefined;
  if (found.partitions !== settings.partitions) {
    const counts = `${found.partitions} partitions where the plan says ${settings.partitions}`;
    const message = `topic ${name} has ${counts}; change the topology back, or reset the application`;
    return { code: 'topic-partitions', node: null, message };
  }
  const { cleanup = 'none', retentionMs = -1 } = found;
  if (settings.cleanup?.startsWith('compact') && !cleanup.startsWith('compact')) {
    const message = `topic ${name} is not compacted, so that it grows without end; set its cleanup to ${settings.cleanup}`;
    return { code: 'topic-settings', node: null, message };
  }
  if (settings.cleanup !== undefined && retentionMs >= 0 && cleanup !== 'compact') {
    const message = `topic ${name} deletes rows after ${retentionMs} ms, so that a restored store would lack them; set its retention to -1`;
    return { code: 'topic-settings', node: null, message };
  }
  return undefined;
}

const CODES: { readonly [fault: string]: ErrorCode } = {
  'topic-missing': 'topic.missing',
  'topic-partitions': 'topic.partitions',
  'topic-settings': 'topic.settings',
};

function refuse(faults: readonly PlanFault[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const messages = faults.map(({ message }) => message);
  const all = `${faults.length} topics do not fit the plan:\n${messages.map((message) => `  ${message}`).join('\n')}`;
  throw new FlowError(CODES[first.code] ?? 'topic.settings', faults.length === 1 ? first.message : all);
}
