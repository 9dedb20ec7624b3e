import { placeStandbys } from './assign-standbys.ts';
import {
  type AssignableMember,
  type AssignableTask,
  type AssignorOptions,
  Lags,
  Loads,
  least,
  type MemberTasks,
} from './assignable.ts';

/**
 * The assignor: which member runs which task, and who holds its state besides. Pure and deterministic; members come
 * in order of id, tasks in the order of the plan.
 *
 * - Every task has one member. When all that is to move has moved, members differ by at most one task, and by at most
 *   one task with stores.
 * - Who has a task keeps it, as far as evenness allows; who has to give some up gives those that the other holds the
 *   state of, then those of the stage of which it has most.
 * - A task with stores *moves* only to a member whose state is at most `acceptableLag` changelog records behind, or
 *   no further than that of who has it. Until then it stays, and the other holds a *warm-up* of it.
 * - A free task goes to a member that has caught up, the least loaded of them; where none has, to who is least behind.
 * - Each task with stores has `standbys` standbys with other members, as far as there are any that keep stores on disk:
 *   first in another rack than the task and its other standbys, then with who follows it already, then even; also a
 *   standby moves when it has warmed up.
 */
export function assignTasks(
  options: AssignorOptions,
  members: readonly AssignableMember[],
): ReadonlyMap<string, MemberTasks> {
  const given = new Map<string, MemberTasks>(
    members.map(({ member }) => [member, { tasks: [], standbys: [], warmups: [] }]),
  );
  if (members.length === 0) return given;
  const lags = new Lags(members);
  const loads = new Loads(members);
  const running = new Map<string, AssignableMember>();
  const stateful = options.tasks.filter((task) => task.stateful);
  const place = new Shares(options, stateful, members, lags, loads);
  for (const task of stateful) {
    const [here, target] = place.of(task);
    const moves = here === target || place.maySwitch(task, here, target);
    running.set(task.id, moves ? target : here);
    if (!moves) given.get(target.member)!.warmups.push(task.id);
  }
  const stateless = options.tasks.filter((task) => !task.stateful);
  const even = new Shares(options, stateless, members, lags, loads);
  for (const task of stateless) running.set(task.id, even.of(task)[1]);
  for (const { id } of options.tasks) given.get(running.get(id)!.member)!.tasks.push(id);
  placeStandbys({ tasks: stateful, members, lags, running, given, options });
  return given;
}

/** Deals one kind of tasks out: where each is best off now, and where it belongs so that members are even. */
class Shares {
  readonly #options: AssignorOptions;
  readonly #members: readonly AssignableMember[];
  readonly #lags: Lags;
  readonly #loads: Loads;
  readonly #here = new Map<AssignableTask, AssignableMember>();
  readonly #target = new Map<AssignableTask, AssignableMember>();

  constructor(
    options: AssignorOptions,
    tasks: readonly AssignableTask[],
    members: readonly AssignableMember[],
    lags: Lags,
    loads: Loads,
  ) {
    this.#options = options;
    this.#members = members;
    this.#lags = lags;
    this.#loads = loads;
    this.#keep(tasks);
    for (const task of tasks) if (!this.#here.has(task)) this.#place(task, this.#bestFor(task));
    for (const [task, member] of this.#here) this.#target.set(task, member);
    while (this.#evenOut());
  }

  /** Where it is best off now, and where it belongs. */
  of(task: AssignableTask): readonly [AssignableMember, AssignableMember] {
    return [this.#here.get(task)!, this.#target.get(task)!];
  }

  /** Whether a task may go from one member to the other at once. */
  maySwitch({ id }: AssignableTask, here: AssignableMember, target: AssignableMember): boolean {
    const lag = this.#lags.of(target, id);
    return !target.state.disk || lag <= this.#options.acceptableLag || lag <= this.#lags.of(here, id);
  }

  #keep(tasks: readonly AssignableTask[]): void {
    const known = new Map(tasks.map((task) => [task.id, task]));
    for (const member of this.#members) {
      for (const id of member.owned) {
        const task = known.get(id);
        if (task !== undefined && !this.#here.has(task)) this.#place(task, member);
      }
    }
  }

  #place(task: AssignableTask, member: AssignableMember): void {
    this.#here.set(task, member);
    this.#loads.add(member, task, 1);
  }

  #bestFor(task: AssignableTask): AssignableMember {
    const lagOf = (member: AssignableMember) => this.#lags.of(member, task.id);
    const caughtUp = this.#members.filter((member) => lagOf(member) <= this.#options.acceptableLag);
    return least(caughtUp.length > 0 ? caughtUp : this.#members, (member) => [
      caughtUp.length > 0 ? 0 : lagOf(member),
      this.#loads.of(member),
      this.#loads.ofStage(member, task.stage),
    ])!;
  }

  /** Moves one task from a member that has most to one that has least; false where they are even. */
  #evenOut(): boolean {
    const loads = this.#loads;
    const to = least(this.#members, (member) => [loads.of(member)])!;
    const from = [...this.#target].filter(([, member]) => loads.of(member) > loads.of(to) + 1);
    const most = Math.max(...from.map(([, member]) => loads.of(member)));
    const moved = least(
      from.filter(([, member]) => loads.of(member) === most),
      ([task, member]) => [
        this.maySwitch(task, this.#here.get(task)!, to) ? 0 : 1,
        loads.ofStage(to, task.stage) - loads.ofStage(member, task.stage),
        this.#lags.of(to, task.id),
      ],
    );
    if (moved === undefined) return false;
    const [task, member] = moved;
    loads.add(member, task, -1);
    loads.add(to, task, 1);
    this.#target.set(task, to);
    return true;
  }
}
