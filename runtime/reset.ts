import { Ledger, ledgerTopic } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { GroupDescription, Log } from '../log/log.ts';
import type { Plan } from '../topology/plan.ts';
import { membersLeft } from './members-left.ts';
import { forgetStores } from './slot.ts';
import { PlanIndex } from './stage.ts';

/**
 * Forgets an application: its internal topics, its positions, its local stores, and (where `outputs` says so) the
 * topics that only it writes. Its external inputs stay. Fails with `log.locked` while anything of it is running.
 */
export async function resetApplication(options: {
  readonly plan: Plan;
  readonly log: Log;
  readonly directory: string | undefined;
  readonly outputs: boolean;
}): Promise<readonly string[]> {
  const { plan, log, directory } = options;
  const outputs = options.outputs ? outputsOf(plan) : [];
  return forgetApplication({ application: plan.name, outputs, log, directory });
}

/** The same by name alone; answers the topics that it deleted. */
export async function forgetApplication(options: {
  readonly application: string;
  /** Topics to delete besides its internal ones. */
  readonly outputs: readonly string[];
  readonly log: Log;
  readonly directory: string | undefined;
}): Promise<readonly string[]> {
  const { application, outputs, log, directory } = options;
  const group = await stoppedGroup(application, log);
  const ledger = ledgerTopic(application);
  const all = await log.admin.list();
  const topics = [...internalTopics(application, all), ...all.filter((topic) => outputs.includes(topic))];
  for (const topic of topics) if (topic !== ledger) await log.admin.delete(topic);
  if (group !== undefined) await log.admin.deleteGroup(application);
  if (directory !== undefined) await forgetStores(directory, application);
  // the ledger last: while it stands, a reset that was cut short is begun again
  if (topics.includes(ledger)) await log.admin.delete(ledger);
  return topics;
}

/** The group of an application, if there is one; fails with `log.locked` while anything of it is running. */
export async function stoppedGroup(application: string, log: Log): Promise<GroupDescription | undefined> {
  const group = (await log.admin.groups([application]))[0];
  if (group === undefined || group.members.length === 0) return group;
  throw new FlowError('log.locked', `${application} is running: ${group.members.join(', ')}; stop it first`);
}

/** Those of all topics that the engine made for an application, and not for another whose name goes on behind a dot. */
export function internalTopics(application: string, topics: readonly string[]): readonly string[] {
  const prefix = `nf.${application}.`;
  const own = topics.filter((topic) => topic.startsWith(prefix));
  const others = own.filter((topic) => topic.endsWith('.run') && topic !== ledgerTopic(application));
  return own.filter((topic) => !others.some((ledger) => topic.startsWith(ledger.slice(0, -'run'.length))));
}

/** The topics of others' names that an application writes. */
export function outputsOf(plan: Plan): readonly string[] {
  const index = new PlanIndex(plan);
  return plan.topics
    .filter(({ internal, name }) => !internal && index.writers(name).length > 0)
    .map(({ name }) => name);
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
}): Promise<void> {
  const { plan, log, clock } = options;
  if ((await log.admin.describe(ledgerTopic(plan.name))) === undefined) return;
  const ledger = await Ledger.open(log, plan.name, clock);
  const complete = ledger.run?.complete === true;
  await ledger.close();
  if (!complete) return;
  if ((await membersLeft(log, plan.name, clock)).length > 0) {
    throw new FlowError(
      'log.locked',
      `the last run of ${plan.name} is complete, but processes of it are still there; stop them, then start again`,
    );
  }
  await resetApplication({ ...options, outputs: true });
}
