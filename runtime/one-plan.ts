import { FlowError } from '../core/errors.ts';
import type { Assign, Assignment, Given } from '../log/log.ts';
import type { AssignableMember, MemberTasks } from './assignable.ts';
import { decodeOrders, decodeState, encodeOrders, type HeldStore, type MemberState } from './member-state.ts';

/** Given in place of tasks to a member that is turned away; no task has such a name. */
const OTHER_PLAN = '!other-plan';
const OTHER_VERSION = '!other-version';

/** Of members whose metadata cannot be read here, whatever their plan. */
const UNREADABLE = 'unreadable';

type Members = Parameters<Assign>[0];

/**
 * Lets members of one plan and one version alone share the tasks: two topologies under one name would each do a part
 * of the work of both. Those at work stay, and others are turned away; where nobody is at work yet, the plan of who
 * assigns holds.
 */
export function onePlan(
  plan: string,
  assign: (members: readonly AssignableMember[]) => ReadonlyMap<string, MemberTasks>,
): Assign {
  return (members) => {
    const ours = kindOf(plan);
    const prevailing = kindAtWork(members) ?? ours;
    const same = members.filter(({ metadata }) => kindIn(metadata) === prevailing);
    // Whose plan it is not does not know its tasks, and so moves none: it is about to leave.
    const shares = prevailing === ours ? withOrders(plan, same.map(readable), assign) : keepAll(same);
    return new Map(members.map((each) => [each.member, shares.get(each.member) ?? turnAway(each, prevailing)]));
  };
}

function withOrders(
  plan: string,
  members: readonly AssignableMember[],
  assign: (members: readonly AssignableMember[]) => ReadonlyMap<string, MemberTasks>,
): ReadonlyMap<string, Given> {
  const given = assign(members);
  const places = placesOf(members, (member) => given.get(member)?.tasks ?? []);
  return new Map(
    [...given].map(([member, { tasks, standbys, warmups }]) => [
      member,
      { tasks, metadata: encodeOrders({ plan, standbys, warmups, places }) },
    ]),
  );
}

/** What members must have in common: their plan, in a version that can be read here. */
function kindIn(metadata: string): string {
  const state = decodeState(metadata);
  return state === undefined ? UNREADABLE : kindOf(state.plan);
}

function kindOf(plan: string): string {
  return `plan ${plan}`;
}

function readable({ member, metadata, owned }: Members[number]): AssignableMember {
  return { member, owned, state: decodeState(metadata)! };
}

/** It is told its plan all the same: under another, a static member asks anew. */
function turnAway({ metadata }: Members[number], prevailing: string): Given {
  const isOtherVersion = [prevailing, kindIn(metadata)].includes(UNREADABLE);
  const plan = decodeState(metadata)?.plan ?? '';
  const orders = encodeOrders({ plan, standbys: [], warmups: [], places: new Map() });
  return { tasks: [isOtherVersion ? OTHER_VERSION : OTHER_PLAN], metadata: orders };
}

/** Everybody goes on with what it has, standbys too. */
function keepAll(members: Members): ReadonlyMap<string, Given> {
  const places = placesOf(
    members.map(({ member, metadata }) => ({ member, state: decodeState(metadata) })),
    (member) => members.find((each) => each.member === member)!.owned,
  );
  return new Map(
    members.map(({ member, owned, metadata }) => {
      const { plan, stores } = decodeState(metadata) ?? { plan: '', stores: new Map<string, HeldStore>() };
      const standbys = [...stores].filter(([task, { live }]) => live && !owned.includes(task)).map(([task]) => task);
      return [member, { tasks: owned, metadata: encodeOrders({ plan, standbys, warmups: [], places }) }];
    }),
  );
}

/** Who has each task, as people know it. */
function placesOf(
  members: readonly { readonly member: string; readonly state: MemberState | undefined }[],
  tasksOf: (member: string) => readonly string[],
): ReadonlyMap<string, string> {
  return new Map(
    members.flatMap(({ member, state }) => tasksOf(member).map((task) => [task, state?.instance ?? member] as const)),
  );
}

function kindAtWork(members: Members): string | undefined {
  const tasks = new Map<string, number>();
  for (const { metadata, owned } of members) {
    const own = owned.filter((task) => task !== OTHER_PLAN && task !== OTHER_VERSION).length;
    const kind = kindIn(metadata);
    if (own > 0) tasks.set(kind, (tasks.get(kind) ?? 0) + own);
  }
  let most: string | undefined;
  for (const [kind, count] of tasks) if (most === undefined || count > tasks.get(most)!) most = kind;
  return most;
}

/** Whether it was given to the member when its plan was another, as a static member has it that was changed meanwhile. */
export function isOfOtherPlan({ metadata }: Assignment, plan: string): boolean {
  return decodeOrders(metadata).plan !== plan;
}

/** Fails with `plan.mismatch` where a member was turned away. */
export function checkPlan(application: string, tasks: readonly string[]): void {
  if (tasks.includes(OTHER_VERSION)) {
    throw new FlowError(
      'plan.mismatch',
      `a process of another version of the engine is at work under the name ${application}: run the same version everywhere`,
    );
  }
  if (!tasks.includes(OTHER_PLAN)) return;
  throw new FlowError(
    'plan.mismatch',
    `another topology is running under the name ${application}: stop it first, or give this one another name`,
  );
}
