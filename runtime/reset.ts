import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Ledger, ledgerTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../log/log.ts';
import type { Plan } from '../topology/plan.ts';
import { PlanIndex } from './stage.ts';

/**
 * Forgets an application: its internal topics, its positions, its local stores, and (where `outputs` says so) the
 * topics that only it writes. Its external inputs stay. Nothing of it may be running.
 */
export async function resetApplication(options: {
  readonly plan: Plan;
  readonly log: Log;
  readonly directory: string | undefined;
  readonly outputs: boolean;
}): Promise<readonly string[]> {
  const { plan, log } = options;
  const index = new PlanIndex(plan);
  const prefix = `nf.${plan.name}.`;
  const written = new Set(plan.topics.filter((topic) => index.writers(topic.name).length > 0).map(({ name }) => name));
  const ledger = ledgerTopic(plan.name);
  const topics = (await log.admin.list()).filter(
    (topic) => topic.startsWith(prefix) || (options.outputs && written.has(topic)),
  );
  for (const topic of topics) if (topic !== ledger) await log.admin.delete(topic);
  const groups = await log.admin.groups();
  if (groups.some((group) => group.group === plan.name)) await log.admin.deleteGroup(plan.name);
  if (options.directory !== undefined) await rm(join(options.directory, plan.name), { recursive: true, force: true });
  // the ledger last: while it stands, a reset that was cut short is begun again
  if (topics.includes(ledger)) await log.admin.delete(ledger);
  return topics;
}

/** Forgets an application, its outputs too, where its last bounded run is complete: the next run starts anew. */
export async function resetIfComplete(options: {
  readonly plan: Plan;
  readonly log: Log;
  readonly directory: string | undefined;
  readonly clock: Clock;
}): Promise<boolean> {
  const { plan, log, clock } = options;
  if ((await log.admin.describe(ledgerTopic(plan.name))) === undefined) return false;
  const ledger = await Ledger.open(log, plan.name, clock);
  const complete = ledger.run?.complete === true;
  await ledger.close();
  if (complete) await resetApplication({ ...options, outputs: true });
  return complete;
}
