import { isFlowError } from '../../core/errors.ts';
import { createOnce } from '../create-once.ts';
import type { LogAdmin } from '../log.ts';

/** The topic whose partitions stand for the tasks of a group; nothing is ever written to it. */
export function slotsTopic(group: string): string {
  return `${group}.slots`;
}

/** Makes the topic where it is not there, with a partition for each task; answers how many it has. */
export async function ensureSlots(admin: LogAdmin, group: string, tasks: number): Promise<number> {
  const topic = slotsTopic(group);
  const found = await admin.describe(topic);
  if (found !== undefined) return found.settings.partitions;
  await createOnce(admin, topic, { partitions: Math.max(1, tasks) });
  return (await admin.describe(topic))?.settings.partitions ?? Math.max(1, tasks);
}

/** The administration of the log, that also removes the slots of a group with it, and tells of topics that go. */
export function withSlots(admin: LogAdmin, onDelete: () => void): LogAdmin {
  return {
    create: (topic, settings) => admin.create(topic, settings),
    describe: (topic) => admin.describe(topic),
    list: () => admin.list(),
    async delete(topic) {
      onDelete();
      await admin.delete(topic);
    },
    alter: (topic, settings) => admin.alter(topic, settings),
    deleteRecords: (topic, partition, before) => admin.deleteRecords(topic, partition, before),
    bounds: (topic, partition) => admin.bounds(topic, partition),
    positionSince: (topic, partition, timestamp) => admin.positionSince(topic, partition, timestamp),
    groups: (names) => admin.groups(names),
    setPositions: (group, positions) => admin.setPositions(group, positions),
    async deleteGroup(group) {
      await admin.deleteGroup(group);
      try {
        await admin.delete(slotsTopic(group));
      } catch (thrown) {
        if (!isFlowError(thrown, 'topic.missing')) throw thrown;
      }
    },
  };
}
