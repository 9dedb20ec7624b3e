import type { MemberState } from './member-state.ts';

/** What the assignor (`assign.ts`) goes by. */
export interface AssignorOptions {
  readonly tasks: readonly AssignableTask[];
  readonly standbys: number;
  readonly acceptableLag: number;
}

export interface AssignableTask {
  readonly id: string;
  readonly stage: string;
  readonly stateful: boolean;
}

export interface AssignableMember {
  readonly member: string;
  readonly owned: readonly string[];
  readonly state: MemberState;
}

/** What one member is to run and to hold. */
export interface MemberTasks {
  readonly tasks: string[];
  readonly standbys: string[];
  readonly warmups: string[];
}

/** How far members' states are behind. */
export class Lags {
  readonly #ends = new Map<string, number>();

  constructor(members: readonly AssignableMember[]) {
    for (const { state } of members) {
      for (const [task, { end }] of state.stores) this.#ends.set(task, Math.max(end, this.#ends.get(task) ?? 0));
    }
  }

  /** Who has nothing is behind by all there is. */
  of({ state }: AssignableMember, task: string): number {
    const store = state.stores.get(task);
    // who follows has looked at its position and the end at one time; others' ends are of another
    if (store?.live) return Math.max(0, store.end - store.at);
    return Math.max(0, (this.#ends.get(task) ?? 0) - (store?.at ?? 0));
  }
}

/** How many tasks members have, and of each stage. */
export class Loads {
  readonly #all: Map<AssignableMember, number>;
  readonly #stages = new Map<AssignableMember, Map<string, number>>();

  constructor(members: readonly AssignableMember[]) {
    this.#all = new Map(members.map((member) => [member, 0]));
  }

  of(member: AssignableMember): number {
    return this.#all.get(member)!;
  }

  ofStage(member: AssignableMember, stage: string): number {
    return this.#stages.get(member)?.get(stage) ?? 0;
  }

  add(member: AssignableMember, { stage }: AssignableTask, count: 1 | -1): void {
    this.#all.set(member, this.of(member) + count);
    const stages = this.#stages.get(member) ?? new Map<string, number>();
    this.#stages.set(member, stages.set(stage, (stages.get(stage) ?? 0) + count));
  }
}

/** The first one whose numbers come first. */
export function least<T>(all: readonly T[], numbersOf: (one: T) => readonly number[]): T | undefined {
  let best: { readonly one: T; readonly numbers: readonly number[] } | undefined;
  for (const one of all) {
    const numbers = numbersOf(one);
    const at = best === undefined ? -1 : numbers.findIndex((number, i) => number !== best!.numbers[i]);
    if (best === undefined || (at >= 0 && numbers[at]! < best.numbers[at]!)) best = { one, numbers };
  }
  return best?.one;
}
