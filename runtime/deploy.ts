import {
  CHANGELOG_DELETE_RETENTION_MS,
  changelogTopic,
  ledgerTopic,
  progressTopic,
} from '../checkpoints/checkpoints.ts';
import { FlowError, isFlowError } from '../core/errors.ts';
import type { LogAdmin, TopicSettings } from '../log/log.ts';
import { deadLetterTopic } from './failures.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

const CHANGELOG_SEGMENT_BYTES = 64 * 1024 * 1024;

/** Every topic the application needs, with its settings, and whether it may be made here. */
export function neededTopics(
  index: PlanIndex,
  specs: readonly TaskSpec[],
): readonly { readonly name: string; readonly settings: TopicSettings; readonly make: boolean }[] {
  const { plan } = index;
  const needed: { name: string; settings: TopicSettings; make: boolean }[] = [];
  for (const topic of plan.topics) {
    needed.push({
      name: topic.name,
      settings: { partitions: topic.partitions },
      make: index.writers(topic.name).length > 0,
    });
  }
  for (const stage of plan.stages) {
    const partitions = Math.max(1, specs.filter((spec) => spec.stage === stage.id).length);
    const changelog = {
      partitions,
      segmentBytes: CHANGELOG_SEGMENT_BYTES,
      deleteRetentionMs: CHANGELOG_DELETE_RETENTION_MS,
    };
    for (const name of stage.stores) {
      const windowed = index.stores.get(name)!.kind === 'window';
      needed.push({
        name: changelogTopic(plan.name, name),
        settings: { ...changelog, cleanup: windowed ? 'compact,delete' : 'compact' },
        make: true,
      });
    }
    needed.push({
      name: progressTopic(plan.name, stage.id),
      settings: { ...changelog, cleanup: 'compact' },
      make: true,
    });
  }
  needed.push({ name: ledgerTopic(plan.name), settings: { partitions: 1, cleanup: 'compact' }, make: true });
  needed.push({ name: deadLetterTopic(plan.name), settings: { partitions: 1 }, make: true });
  return needed;
}

/**
 * Makes the topics that the application owns or writes, and checks the others: one error names everything that is
 * missing or has another partition count. Answers the largest batch each topic takes.
 */
export async function prepareTopics(
  admin: LogAdmin,
  index: PlanIndex,
  specs: readonly TaskSpec[],
): Promise<ReadonlyMap<string, number>> {
  const faults: FlowError[] = [];
  const limits = new Map<string, number>();
  for (const { name, settings, make } of neededTopics(index, specs)) {
    let found = await admin.describe(name);
    if (found === undefined && make) {
      await admin.create(name, settings).catch((thrown: unknown) => {
        // another process was quicker
        if (!isFlowError(thrown, 'topic.exists')) throw thrown;
      });
      found = await admin.describe(name);
    }
    if (found === undefined) {
      faults.push(
        new FlowError(
          'topic.missing',
          `topic ${name} does not exist; create it with ${settings.partitions} partitions, or correct its name in the topology`,
        ),
      );
      continue;
    }
    if (found.settings.partitions !== settings.partitions) {
      faults.push(
        new FlowError(
          'topic.partitions',
          `topic ${name} has ${found.settings.partitions} partitions where the plan says ${settings.partitions}; change the topology, or write the records to a new topic of ${settings.partitions}`,
        ),
      );
    }
    limits.set(name, found.settings.maxMessageBytes);
  }
  if (faults.length === 1) throw faults[0]!;
  if (faults.length > 1) {
    throw new FlowError(
      faults[0]!.code,
      `${faults.length} topics do not fit the plan:\n${faults.map((fault) => `  ${fault.message}`).join('\n')}`,
    );
  }
  return limits;
}
