import { isFlowError } from '../core/errors.ts';
import type { LogAdmin, TopicSettings } from './log.ts';

/** Makes a topic, or leaves it as another process has made it, which was quicker. */
export async function createOnce(admin: LogAdmin, topic: string, settings: TopicSettings): Promise<void> {
  try {
    await admin.create(topic, settings);
  } catch (thrown) {
    if (!isFlowError(thrown, 'topic.exists')) throw thrown;
  }
}
