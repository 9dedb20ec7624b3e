import type { Assign, Given } from '../log/log.ts';

/**
 * The assignor: every task to one member, as even as can be, and what a member has it keeps as far as evenness
 * allows. Pure; members come in order of id, tasks in the order of the plan.
 */
export function stickyAssignor(tasks: readonly string[]) {
  return (members: Parameters<Assign>[0]): ReadonlyMap<string, Given> => {
    const known = new Set(tasks);
    const assigned = new Map<string, string[]>(members.map(({ member }) => [member, []]));
    if (members.length === 0) return new Map();
    const floor = Math.floor(tasks.length / members.length);
    let extra = tasks.length - floor * members.length;
    const taken = new Set<string>();
    for (const { member, owned } of members) {
      const own = assigned.get(member)!;
      for (const task of owned) {
        const room = floor + (extra > 0 ? 1 : 0);
        if (!known.has(task) || taken.has(task) || own.length >= room) continue;
        own.push(task);
        taken.add(task);
      }
      if (own.length > floor) extra--;
    }
    for (const task of tasks) {
      if (taken.has(task)) continue;
      let least: string[] | undefined;
      for (const own of assigned.values()) if (least === undefined || own.length < least.length) least = own;
      least!.push(task);
    }
    return new Map([...assigned].map(([member, tasks]) => [member, { tasks, metadata: '' }]));
  };
}

/** Splits one member's tasks over its workers: a task stays where it was, new ones go to the least loaded. */
export function splitOverWorkers(
  tasks: readonly string[],
  workers: number,
  current: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const load = new Array<number>(workers).fill(0);
  const split = new Map<string, number>();
  const most = Math.ceil(tasks.length / workers);
  for (const task of tasks) {
    const worker = current.get(task);
    if (worker === undefined || load[worker]! >= most) continue;
    split.set(task, worker);
    load[worker]!++;
  }
  for (const task of tasks) {
    if (split.has(task)) continue;
    const worker = load.indexOf(Math.min(...load));
    split.set(task, worker);
    load[worker]!++;
  }
  return split;
}
