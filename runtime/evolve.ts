import { changelogTopic, Ledger, ledgerTopic, planRow } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Log } from '../log/log.ts';
import type { Plan } from '../topology/plan.ts';
import {
  asPlan,
  type DiffCosts,
  diffLines,
  diffPlans,
  faultLines,
  type PlanDiff,
  planHash,
  type Renames,
} from '../topology/topology.ts';
import { carryProgress } from './carry-progress.ts';
import { carryStores, forgetCopies } from './carry-stores.ts';
import { recordsIn } from './orphans.ts';
import { writeLedger } from './write-ledger.ts';

export interface EvolveParts {
  readonly plan: Plan;
  readonly log: Log;
  readonly clock: Clock;
  readonly renames?: Renames | undefined;
}

interface Stored {
  readonly plan: Plan;
  /** The hash of the plan to which a start that was cut short was copying. */
  readonly next: string | null;
}

async function stored(parts: EvolveParts): Promise<Stored | undefined> {
  return storedIn(await readLedger(parts), parts);
}

function storedIn(ledger: Ledger | undefined, { plan }: EvolveParts): Stored | undefined {
  const row = ledger?.plan;
  if (row === undefined) return undefined;
  return { plan: asPlan(row.plan, `the plan in topic ${ledgerTopic(plan.name)}`), next: row.next };
}

/** What stands in the ledger of an application; `undefined` where it never ran. */
async function readLedger({ plan, log, clock }: EvolveParts): Promise<Ledger | undefined> {
  if ((await log.admin.describe(ledgerTopic(plan.name))) === undefined) return undefined;
  const ledger = await Ledger.open(log, plan.name, clock);
  await ledger.close();
  return ledger;
}

/** The plan to which the state of an application belongs, and its last run, where it has either. */
export async function lastStart(
  parts: EvolveParts,
): Promise<{ readonly plan: Plan | undefined; readonly run: Ledger['run'] }> {
  const ledger = await readLedger(parts);
  return { plan: storedIn(ledger, parts)?.plan, run: ledger?.run };
}

/** The plan to which the state of an application belongs that is in the log; `undefined` where there is none. */
export async function storedPlan(parts: EvolveParts): Promise<Plan | undefined> {
  return (await stored(parts))?.plan;
}

export interface FoundDiff {
  readonly from: Plan;
  readonly diff: PlanDiff;
  readonly costs: DiffCosts;
}

/** What a plan would do to the state that is in the log, and what that costs; changes nothing. */
export async function inspectPlanDiff(parts: EvolveParts): Promise<FoundDiff | undefined> {
  const from = await storedPlan(parts);
  if (from === undefined) return undefined;
  const diff = diffPlans(from, parts.plan, parts.renames);
  return { from, diff, costs: await costsOf(parts, diff) };
}

async function costsOf({ plan, log }: EvolveParts, { stores, topics }: PlanDiff): Promise<DiffCosts> {
  const changelogs = new Map<string, number>();
  for (const { store, was } of stores) {
    const name = was ?? store;
    changelogs.set(name, await recordsIn(log, changelogTopic(plan.name, name)));
  }
  const waiting = new Map<string, number>();
  for (const { topic, how } of topics)
    if (how === 'removed') waiting.set(topic, await waitingIn(log, plan.name, topic));
  return { changelogs, waiting };
}

/** Records behind the position that the application has committed. */
async function waitingIn(log: Log, group: string, topic: string): Promise<number> {
  const count = (await log.admin.describe(topic))?.settings.partitions ?? 0;
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const positions = await log.committed(group, partitions);
  let waiting = 0;
  for (const { partition } of partitions) {
    const { start, stable } = await log.admin.bounds(topic, partition);
    waiting += Math.max(0, stable - Math.max(start, positions[partition]?.position ?? start));
  }
  return waiting;
}

/** The way of an application's state to the plan that is started. */
export interface Evolution {
  /** Copies what needs it; all topics of the new plan are there. Done again from the start where it was cut short. */
  carry(): Promise<void>;
  /** The new plan is at work: from now on the state belongs to it. */
  settle(): Promise<void>;
}

/**
 * Holds a plan against the one whose state is in the log, before anything is made or changed: tells what becomes of
 * the state, and fails with `plan.incompatible` where the plan cannot take over.
 */
export async function evolve(parts: EvolveParts, tell: (line: string) => void): Promise<Evolution> {
  const { plan, log, clock } = parts;
  const save = (row: Stored) => writeLedger(log, plan.name, planRow(clock.now(), row));
  const store = () => save({ plan, next: null });
  const before = await stored(parts);
  if (before === undefined) return { carry: store, settle: nothing };
  const { plan: from, next } = before;
  if (planHash(from) === planHash(plan)) return { carry: nothing, settle: nothing };
  const diff = diffPlans(from, plan, parts.renames);
  const costs = await costsOf(parts, diff);
  const faults = [...faultLines(diff), ...(next === planHash(plan) ? [] : await inTheWay(parts, diff))];
  if (faults.length > 0) {
    const all = faults.map((line) => `\n  ${line}`).join('');
    throw new FlowError('plan.incompatible', `the topology of ${plan.name} was changed so that it cannot go on:${all}`);
  }
  for (const line of diffLines(diff, costs)) tell(line);
  const group = (await log.admin.groups([plan.name]))[0];
  const members = group?.members ?? [];
  const carried = diff.stores.filter(({ how }) => how === 'renamed' || how === 'moved');
  if (members.length > 0 && carried.length > 0) {
    const names = carried.map(({ store: name }) => name).join(', ');
    throw new FlowError(
      'log.locked',
      `${plan.name} is running, or its processes have just ended: ${members.join(', ')}; stop them first, since rows of ${names} are to be carried over`,
    );
  }
  // those that are at work may have the former plan, and then they stay
  if (members.length > 0) return { carry: nothing, settle: store };
  if (carried.length > 0) {
    await save({ plan: from, next: planHash(plan) });
    await forgetCopies(parts, diff);
  }
  return {
    async carry() {
      await carryStores(parts, diff);
      await carryProgress(parts, from, diff);
      await store();
    },
    settle: nothing,
  };
}

const nothing = async () => undefined;

/** Rows that an earlier plan left under a name that a store is to get. */
async function inTheWay({ plan, log }: EvolveParts, { stores }: PlanDiff): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { store, was } of stores.filter(({ how }) => how === 'renamed')) {
    const topic = changelogTopic(plan.name, store);
    if ((await recordsIn(log, topic)) === 0) continue;
    const cure = 'choose another name, or delete that topic first: nodeflow plan orphans <the former topology> --yes';
    found.push(`refused: store ${store}: an earlier plan left rows in ${topic}, so ${was} cannot be renamed; ${cure}`);
  }
  return found;
}
