import {
  type AssignableMember,
  type AssignableTask,
  type AssignorOptions,
  type Lags,
  least,
  type MemberTasks,
} from './assignable.ts';

export interface PlaceStandbysParts {
  readonly tasks: readonly AssignableTask[];
  readonly members: readonly AssignableMember[];
  readonly lags: Lags;
  /** Who runs each task. */
  readonly running: ReadonlyMap<string, AssignableMember>;
  /** Takes the standbys; has the tasks, and the warm-ups that are to become tasks. */
  readonly given: ReadonlyMap<string, MemberTasks>;
  readonly options: AssignorOptions;
}

/**
 * Chooses who holds the standbys of each task: in racks apart, then with who follows it already; new ones go to who has
 * fewest. Then they are made even, and as with tasks: a standby goes to another member when that has warmed up, so
 * that a task is not without one meanwhile.
 */
export function placeStandbys(parts: PlaceStandbysParts): void {
  const { tasks, members, options } = parts;
  const able = members.filter(({ state }) => state.disk);
  if (options.standbys === 0 || able.length === 0) return;
  const choice = new Choice(parts, able);
  for (const staying of [true, false]) {
    for (const task of tasks) {
      while (choice.holdersOf(task).length < options.standbys) {
        const next = choice.next(task, staying);
        if (next === undefined) break;
        choice.take(task, next);
      }
    }
  }
  choice.evenOut();
  choice.give();
}

class Choice {
  readonly #parts: PlaceStandbysParts;
  readonly #able: readonly AssignableMember[];
  readonly #holders = new Map<AssignableTask, AssignableMember[]>();
  /** Whom a member is to replace when it has warmed up. */
  readonly #replaces = new Map<AssignableTask, Map<AssignableMember, AssignableMember>>();

  /** How many standbys each has in the end. */
  readonly #loads: Map<AssignableMember, number>;

  constructor(parts: PlaceStandbysParts, able: readonly AssignableMember[]) {
    this.#parts = parts;
    this.#able = able;
    this.#loads = new Map(able.map((each) => [each, 0]));
    for (const task of parts.tasks) {
      this.#holders.set(task, []);
      this.#replaces.set(task, new Map());
    }
  }

  /** Who holds a task's standbys in the end. */
  holdersOf(task: AssignableTask): AssignableMember[] {
    return this.#holders.get(task)!;
  }

  /** Who takes the next standby of a task: with `staying` one that follows it already, if there is one. */
  next(task: AssignableTask, staying: boolean): AssignableMember | undefined {
    const free = this.#able.filter((each) => this.#mayHold(task, each));
    const fewest = Math.min(...free.map((each) => this.#neighbours(task, each)));
    const apart = free.filter((each) => this.#neighbours(task, each) === fewest);
    return least(staying ? apart.filter((each) => follows(task, each)) : apart, (each) => [
      this.#isNear(task, each) ? 0 : 1,
      this.#loads.get(each)!,
      this.#parts.given.get(each.member)!.tasks.length,
    ]);
  }

  /** One more holder. Where it has to catch up, and another follows the task that is not to any more, that stays until then. */
  take(task: AssignableTask, member: AssignableMember): void {
    this.holdersOf(task).push(member);
    this.#loads.set(member, this.#loads.get(member)! + 1);
    if (this.#isNear(task, member)) return;
    const until = this.#able.find((each) => follows(task, each) && this.#mayHold(task, each));
    if (until !== undefined) this.#replaces.get(task)!.set(member, until);
  }

  /** Moves standbys from who has many to who has at least two fewer. */
  evenOut(): void {
    for (let moved = this.#bestMove(); moved !== undefined; moved = this.#bestMove()) {
      const { task, from, to } = moved;
      const holders = this.holdersOf(task);
      holders[holders.indexOf(from)] = to;
      this.#loads.set(from, this.#loads.get(from)! - 1);
      this.#loads.set(to, this.#loads.get(to)! + 1);
      const replaces = this.#replaces.get(task)!;
      // who was to replace another, and gives way itself, is out of it
      if (!this.#isNear(task, to)) replaces.set(to, replaces.get(from) ?? from);
      replaces.delete(from);
    }
  }

  give(): void {
    const { given } = this.#parts;
    for (const [task, holders] of this.#holders) {
      for (const holder of holders) {
        const replaced = this.#replaces.get(task)!.get(holder);
        given.get((replaced ?? holder).member)!.standbys.push(task.id);
        if (replaced !== undefined) given.get(holder.member)!.warmups.push(task.id);
      }
    }
  }

  #bestMove() {
    const loads = this.#loads;
    const moves = [...this.#holders].flatMap(([task, holders]) =>
      holders.flatMap((from) =>
        this.#able
          .filter((to) => loads.get(from)! - loads.get(to)! > 1 && this.#mayHold(task, to))
          .filter((to) => this.#neighbours(task, to, from) <= this.#neighbours(task, from, from))
          .map((to) => ({ task, from, to })),
      ),
    );
    return least(moves, ({ task, from, to }) => [
      loads.get(to)! - loads.get(from)!,
      this.#isNear(task, to) ? 0 : 1,
      this.#parts.lags.of(to, task.id),
    ]);
  }

  #mayHold(task: AssignableTask, member: AssignableMember): boolean {
    const { running, given } = this.#parts;
    if (running.get(task.id) === member || this.holdersOf(task).includes(member)) return false;
    if ([...this.#replaces.get(task)!.values()].includes(member)) return false;
    return !given.get(member.member)!.warmups.includes(task.id);
  }

  /** How many of those that have the task already are in the rack of this one. */
  #neighbours(task: AssignableTask, member: AssignableMember, without?: AssignableMember): number {
    const { rack } = member.state;
    if (rack === undefined) return 0;
    const others = [this.#parts.running.get(task.id)!, ...this.holdersOf(task)];
    return others.filter((each) => each !== without && each.state.rack === rack).length;
  }

  #isNear(task: AssignableTask, member: AssignableMember): boolean {
    return this.#parts.lags.of(member, task.id) <= this.#parts.options.acceptableLag;
  }
}

function follows({ id }: AssignableTask, { state }: AssignableMember): boolean {
  return state.stores.get(id)?.live === true;
}
