import { Ledger, ledgerTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Log } from '../log/log.ts';
import type { Plan } from '../topology/plan.ts';
import { forgetStores } from './slot.ts';
import { PlanIndex } from './stage.ts';

const LEAVE_MS = 15_000;
const LEAVE_PAUSE_MS = 100;

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
  if (options.directory !== undefined) await forgetStores(options.directory, plan.name);
  // the ledger last: while it stands, a reset that was cut short is begun again
  if (topics.includes(ledger)) await log.admin.delete(ledger);
  return topics;
}

/**
 * Forgets an application, its outputs too, where its last bounded run is complete: the next run starts anew. Processes
 * that are about to end may still be in its group: it waits for them.
 */
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
  if (!complete) return false;
  const isEmpty = async () =>
    (await log.admin.groups()).every(({ group, members }) => group !== plan.name || members.length === 0);
  for (const giveUpAt = clock.monotonic() + LEAVE_MS; !(await isEmpty()); await clock.sleep(LEAVE_PAUSE_MS)) {
    if (clock.monotonic() < giveUpAt) continue;
    throw new FlowError(
      'log.locked',
      `the last run of ${plan.name} is complete, but processes of it are still there; stop them, then start again`,
    );
  }
  await resetApplication({ ...options, outputs: true });
  return true;
}
