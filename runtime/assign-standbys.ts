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
  /** Takes the standbys; has the warm-ups already. */
  readonly given: ReadonlyMap<string, MemberTasks>;
  readonly options: AssignorOptions;
}

/**
 * Chooses who holds the standbys of each task: in racks apart, then with who follows it already, then even. First all
 * that can stay where they are do, so that a new one does not take their room.
 */
export function placeStandbys(parts: PlaceStandbysParts): void {
  const { tasks, members, options } = parts;
  const able = members.filter(({ state }) => state.disk);
  if (options.standbys === 0 || able.length === 0) return;
  const most = Math.ceil((tasks.length * Math.min(options.standbys, members.length - 1)) / able.length);
  const choice = new Choice(parts, able, most);
  const places = tasks.map((task) => ({ task, chosen: [] as AssignableMember[] }));
  for (const staying of [true, false]) {
    for (const { task, chosen } of places) {
      while (chosen.length < options.standbys) {
        const next = choice.next(task, chosen, staying);
        if (next === undefined) break;
        chosen.push(next);
        parts.given.get(next.member)!.standbys.push(task.id);
      }
    }
  }
}

class Choice {
  readonly #parts: PlaceStandbysParts;
  readonly #able: readonly AssignableMember[];
  readonly #most: number;

  constructor(parts: PlaceStandbysParts, able: readonly AssignableMember[], most: number) {
    this.#parts = parts;
    this.#able = able;
    this.#most = most;
  }

  /** With `staying` one that follows the task already and has room; `undefined` where there is none. */
  next({ id }: AssignableTask, chosen: readonly AssignableMember[], staying: boolean): AssignableMember | undefined {
    const { running, given, lags } = this.#parts;
    const held = [running.get(id)!, ...chosen];
    const free = this.#able.filter((each) => !held.includes(each) && !given.get(each.member)!.warmups.includes(id));
    const shared = (each: AssignableMember) => held.filter((other) => inOneRack(each, other)).length;
    const fewest = Math.min(...free.map(shared));
    const apart = free.filter((each) => shared(each) === fewest);
    const isFull = (each: AssignableMember) => this.#loadOf(each) >= this.#most;
    const follows = ({ state }: AssignableMember) => state.stores.get(id)?.live === true;
    const able = staying ? apart.filter((each) => follows(each) && !isFull(each)) : apart;
    return least(able, (each) => [
      isFull(each) ? 1 : 0,
      follows(each) ? 0 : 1,
      this.#isNear(lags.of(each, id)) ? 0 : 1,
      this.#loadOf(each),
      given.get(each.member)!.tasks.length,
    ]);
  }

  #isNear(lag: number): boolean {
    return lag <= this.#parts.options.acceptableLag;
  }

  #loadOf({ member }: AssignableMember): number {
    return this.#parts.given.get(member)!.standbys.length;
  }
}

/** Whether both are known to be in the same rack. */
function inOneRack(one: AssignableMember, other: AssignableMember): boolean {
  return one.state.rack !== undefined && one.state.rack === other.state.rack;
}
