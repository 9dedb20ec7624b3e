import { schemasTopic } from '../checkpoints/checkpoints.ts';
import type { Log } from '../log/log.ts';
import type { Plan } from '../topology/plan.ts';
import { neededNames } from './deploy.ts';
import { internalTopics, stoppedGroup } from './reset.ts';
import { PlanIndex } from './stage.ts';

export interface Orphan {
  readonly topic: string;
  /** Records in it, by positions. */
  readonly records: number;
}

/** Topics that the engine made for former plans of an application, and that this one does not use. */
export async function inspectOrphans(plan: Plan, log: Log): Promise<readonly Orphan[]> {
  const used = new Set([...neededNames(new PlanIndex(plan)), schemasTopic(plan.name)]);
  const left = internalTopics(plan.name, await log.admin.list()).filter((topic) => !used.has(topic));
  return Promise.all([...left].sort().map(async (topic) => ({ topic, records: await recordsIn(log, topic) })));
}

/** Deletes them; fails with `log.locked` while anything of the application is running, whose plan may be the former. */
export async function forgetOrphans(plan: Plan, log: Log): Promise<readonly Orphan[]> {
  await stoppedGroup(plan.name, log);
  const orphans = await inspectOrphans(plan, log);
  for (const { topic } of orphans) await log.admin.delete(topic);
  return orphans;
}

/** How many positions a topic has; 0 where it is not there. */
export async function recordsIn(log: Log, topic: string): Promise<number> {
  const partitions = (await log.admin.describe(topic))?.settings.partitions ?? 0;
  let records = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { start, stable } = await log.admin.bounds(topic, partition);
    records += stable - start;
  }
  return records;
}
