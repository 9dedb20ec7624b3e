import { FlowError } from '../../core/errors.ts';
import {
  COMMANDS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DEFINITIONS_TOPIC,
  EVENTS_TOPIC,
  INTERNAL_TOPIC,
} from '../../events/events.ts';
import { createOnce, type LogAdmin, type TopicSettings } from '../../log/log.ts';
import { REDRIVES_SETTINGS, REDRIVES_TOPIC } from '../../runtime/runtime.ts';

/** What was taken is of no use to anybody; what was not is to outlast a long outage. */
const COMMANDS_KEPT_MS = 7 * 86_400_000;

/**
 * Makes the topics of the control plane that are not there. Their partition count is that of the first start for good:
 * answers what it is.
 */
export async function prepareControlTopics(admin: LogAdmin, partitions: number): Promise<number> {
  const there = await admin.describe(COMMANDS_TOPIC);
  const count = there?.settings.partitions ?? partitions;
  const passing: TopicSettings = { partitions: count, cleanup: 'delete', retentionMs: COMMANDS_KEPT_MS };
  const topics: readonly (readonly [string, TopicSettings])[] = [
    [COMMANDS_TOPIC, passing],
    [INTERNAL_TOPIC, passing],
    [EVENTS_TOPIC, { partitions: count }],
    [DEAD_LETTERS_TOPIC, { partitions: count }],
    [DEFINITIONS_TOPIC, { partitions: 1, cleanup: 'compact' }],
    [REDRIVES_TOPIC, REDRIVES_SETTINGS],
  ];
  for (const [name, settings] of topics) {
    const found = await admin.describe(name);
    if (found === undefined) {
      await createOnce(admin, name, settings);
    } else if (found.settings.partitions !== settings.partitions) {
      const counts = `${found.settings.partitions} partitions, and ${COMMANDS_TOPIC} ${count}`;
      throw new FlowError('topic.partitions', `topic ${name} has ${counts}: they must have as many; make it anew`);
    }
  }
  return count;
}
