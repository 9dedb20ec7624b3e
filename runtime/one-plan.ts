import { FlowError } from '../core/errors.ts';
import type { Assign, Given } from '../log/log.ts';

/** Given in place of tasks to a member whose plan is not that of the members at work; no task has such a name. */
const OTHER_PLAN = '!other-plan';
const TURNED_AWAY: Given = { tasks: [OTHER_PLAN], metadata: '' };

/**
 * Lets members of one plan alone share the tasks: two topologies under one name would each do a part of the work of
 * both. A member says its plan (its hash) as its metadata. Those at work stay, and others are turned away; where nobody
 * is at work yet, the plan of who assigns holds.
 */
export function onePlan(plan: string, assign: Assign): Assign {
  return (members) => {
    const prevailing = planAtWork(members) ?? plan;
    const same = members.filter(({ metadata }) => metadata === prevailing);
    // Whose plan it is not does not know its tasks, and so moves none: it is about to leave.
    const shares = prevailing === plan ? assign(same) : keepAll(same);
    return new Map(members.map(({ member }) => [member, shares.get(member) ?? TURNED_AWAY]));
  };
}

function keepAll(members: Parameters<Assign>[0]): ReturnType<Assign> {
  return new Map(members.map(({ member, owned }) => [member, { tasks: owned, metadata: '' }]));
}

function planAtWork(members: Parameters<Assign>[0]): string | undefined {
  const tasks = new Map<string, number>();
  for (const { metadata, owned } of members) {
    const own = owned.filter((task) => task !== OTHER_PLAN).length;
    if (own > 0) tasks.set(metadata, (tasks.get(metadata) ?? 0) + own);
  }
  let most: string | undefined;
  for (const [plan, count] of tasks) if (most === undefined || count > tasks.get(most)!) most = plan;
  return most;
}

/** Fails with `plan.mismatch` where a member was turned away. */
export function checkPlan(application: string, tasks: readonly string[]): void {
  if (!tasks.includes(OTHER_PLAN)) return;
  throw new FlowError(
    'plan.mismatch',
    `another topology is running under the name ${application}: stop it first, or give this one another name`,
  );
}
