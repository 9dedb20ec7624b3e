import { type DiffFault, topicFaults } from './diff-faults.ts';
import { type StoreChange, storeChange } from './diff-stores.ts';
import type { Plan, PlanStore, PlanTopic } from './plan.ts';
import { planHash } from './plan-hash.ts';

/**
 * What becomes of an application's state when another plan takes over. State hangs on names: a store's rows lie in
 * the changelog of its name, records on their way in the internal topic of its name. So what has its name in both
 * plans carries over if its form is the same, and what has not is new or left behind, unless `renames` says that
 * it is the same store by another name.
 *
 * Pure: it looks at the two plans and at nothing else. Whoever knows the log adds what each change costs.
 */
export interface PlanDiff {
  readonly from: string;
  readonly to: string;
  /** The plans are the same. */
  readonly equal: boolean;
  /**
   * Every store of both plans that has a changelog, once: those of the new plan in its order, then what only the old one
   * has.
   */
  readonly stores: readonly StoreChange[];
  /** The same of the topics that the engine makes for records on their way. */
  readonly topics: readonly TopicChange[];
  /** Topics of others that are read from now on, or no longer. */
  readonly inputs: readonly InputChange[];
  /** Why the new plan cannot take over; it can where there are none. */
  readonly faults: readonly DiffFault[];
}

export interface TopicChange {
  readonly topic: string;
  readonly how: 'kept' | 'added' | 'removed';
}

export interface InputChange {
  readonly topic: string;
  readonly how: 'added' | 'removed';
}

/** New names of stores by their old ones. */
export type Renames = { readonly [old: string]: string };

export function diffPlans(from: Plan, to: Plan, renames: Renames = {}): PlanDiff {
  const { names, faults: unfit } = namesOf(from, to, renames);
  const was = new Map([...names].map(([before, after]) => [after, before]));
  const [befores, afters] = [carried(from), carried(to)];
  const gone = befores.filter(({ name }) => !afters.some((store) => store.name === (names.get(name) ?? name)));
  const pairs = afters.map((after) => ({
    before: befores.find(({ name }) => name === (was.get(after.name) ?? after.name)),
    after,
  }));
  const compared = [...pairs, ...gone.map((before) => ({ before, after: undefined }))].map(({ before, after }) =>
    storeChange({ from, to }, before, after),
  );
  const application: readonly DiffFault[] =
    from.name === to.name
      ? []
      : [
          {
            what: `application ${to.name}`,
            why: `it was called ${from.name}, and state, topics and positions hang on that name`,
            cure: `call it ${from.name} again, or start it as an application of its own`,
          },
        ];
  return {
    from: from.name,
    to: to.name,
    equal: planHash(from) === planHash(to),
    stores: compared.map(({ change }) => change),
    topics: changes(internal(from), internal(to)),
    inputs: changes(inputs(from), inputs(to)).filter((each): each is InputChange => each.how !== 'kept'),
    faults: [...application, ...unfit, ...compared.flatMap(({ faults }) => faults), ...topicFaults(from, to)],
  };
}

interface Names {
  /** New names by old ones, those of stores that belong to others among them. */
  readonly names: ReadonlyMap<string, string>;
  readonly faults: readonly DiffFault[];
}

/**
 * The renames that there is something to do for; one that is done already is passed over. A name is that of a store,
 * with those that belong to it, as `prices.history` to `prices`, or that of a join which keeps stores of its own.
 */
function namesOf(from: Plan, to: Plan, renames: Renames): Names {
  const names = new Map<string, string>();
  const faults: DiffFault[] = [];
  const under = (plan: Plan, name: string) =>
    carried(plan)
      .filter((store) => belongs(store, name))
      .map((store) => store.name);
  for (const [before, after] of Object.entries(renames)) {
    const refuse = (why: string, cure: string) => faults.push({ what: `rename of ${before} to ${after}`, why, cure });
    const [olds, taken, news, kept] = [under(from, before), under(from, after), under(to, after), under(to, before)];
    if (olds.length === 0 && taken.length > 0 && news.length > 0) continue;
    if (olds.length === 0) refuse(`the former plan has no store ${before}`, `it has ${list(from)}`);
    else if (news.length === 0) refuse(`the new plan has no store ${after}`, `it has ${list(to)}`);
    else if (taken.length > 0) refuse(`the former plan has a store ${after} too`, 'choose a name that is free');
    else if (kept.length > 0)
      refuse(`the new plan still has a store ${before}`, 'give the new store a name of its own');
    else if (news.some((name) => [...names.values()].includes(name))) {
      refuse(`another store becomes ${after} too`, 'rename one of them');
    } else {
      for (const name of olds) {
        const renamed = after + name.slice(before.length);
        if (news.includes(renamed)) names.set(name, renamed);
      }
    }
  }
  return { names, faults };
}

/** The store of a name, those that it brings with it, and those that the node of that name keeps for itself. */
function belongs(store: PlanStore, name: string): boolean {
  if (store.name === name || store.name.startsWith(`${name}.`)) return true;
  return store.name.startsWith(`${name}-`) && store.nodes.some((id) => id.endsWith(`:${name}`));
}

function list(plan: Plan): string {
  return (
    carried(plan)
      .map(({ name }) => name)
      .join(', ') || 'none'
  );
}

/** A global table has no changelog: its rows are read anew whenever a worker starts. */
function carried({ stores }: Plan): readonly PlanStore[] {
  return stores.filter(({ kind }) => kind !== 'global');
}

function internal({ topics }: Plan): readonly string[] {
  return topics.filter((topic: PlanTopic) => topic.internal).map(({ name }) => name);
}

/** Topics that are read and that no node of the plan writes. */
function inputs({ stages }: Plan): readonly string[] {
  const written = new Set(stages.flatMap(({ writes }) => writes));
  return [...new Set(stages.flatMap(({ reads }) => reads))].filter((topic) => !written.has(topic)).sort();
}

function changes(before: readonly string[], after: readonly string[]): readonly TopicChange[] {
  return [
    ...after.map((topic) => ({ topic, how: before.includes(topic) ? ('kept' as const) : ('added' as const) })),
    ...before.filter((topic) => !after.includes(topic)).map((topic) => ({ topic, how: 'removed' as const })),
  ];
}
