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
