import type { Clock } from '../core/clock.ts';
import type { Millis, Position } from '../core/ids.ts';

/** Restores that go on, in positions of changelogs: as many records as that, or fewer. */
export interface RestoreFigures {
  /** Tasks that are being restored. */
  readonly tasks: number;
  /** Read since these restores began, those that ended meanwhile included. */
  readonly done: number;
  readonly left: number;
  readonly perSecond: number;
}

interface Table {
  readonly from: Position;
  position: Position;
  readonly end: Position;
}

/** How far the restores of one worker are, from the first that begins to the last that ends. */
export class Restores {
  readonly #clock: Clock;
  readonly #tasks = new Map<string, Map<string, Table>>();
  #since = 0;
  #doneBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A table has come so far. Told first where it begins. */
  restoring(task: string, table: string, position: Position, end: Position): void {
    if (this.#tasks.size === 0) {
      this.#since = this.#clock.monotonic();
      this.#doneBefore = 0;
    }
    const tables = this.#tasks.get(task) ?? new Map<string, Table>();
    this.#tasks.set(task, tables);
    const known = tables.get(table);
    if (known === undefined) tables.set(table, { from: position, position, end });
    else known.position = position;
  }

  /** The task is restored, or was given up. */
  ended(task: string): void {
    for (const { from, position } of this.#tasks.get(task)?.values() ?? []) this.#doneBefore += position - from;
    this.#tasks.delete(task);
  }

  left(task: string, table: string): number {
    const known = this.#tasks.get(task)?.get(table);
    return known === undefined ? 0 : Math.max(0, known.end - known.position);
  }

  /** How far each task is: all tables added up. */
  *tasks(): Iterable<{ readonly task: string; readonly at: Position; readonly end: Position }> {
    for (const [task, tables] of this.#tasks) {
      let at = 0;
      let end = 0;
      for (const table of tables.values()) {
        at += table.position;
        end += Math.max(table.position, table.end);
      }
      yield { task, at, end };
    }
  }

  /** `undefined` while nothing is restored. */
  figures(): RestoreFigures | undefined {
    if (this.#tasks.size === 0) return undefined;
    let done = this.#doneBefore;
    let left = 0;
    for (const [task, tables] of this.#tasks) {
      for (const [name, { from, position }] of tables) {
        done += position - from;
        left += this.left(task, name);
      }
    }
    const seconds = (this.#clock.monotonic() - this.#since) / 1000;
    return { tasks: this.#tasks.size, done, left, perSecond: seconds > 0 ? done / seconds : 0 };
  }
}

/** The restores of several workers, which go on side by side. */
export function sumOfRestores(all: readonly (RestoreFigures | undefined)[]): RestoreFigures | undefined {
  const some = all.filter((each) => each !== undefined);
  if (some.length === 0) return undefined;
  const sum = (of: (figures: RestoreFigures) => number) => some.reduce((total, each) => total + of(each), 0);
  return {
    tasks: sum(({ tasks }) => tasks),
    done: sum(({ done }) => done),
    left: sum(({ left }) => left),
    perSecond: sum(({ perSecond }) => perSecond),
  };
}

/** How long restores will go on at this rate: an estimate; `undefined` where nothing was read yet. */
export function timeLeftMs({ left, perSecond }: RestoreFigures): Millis | undefined {
  return perSecond > 0 ? (left / perSecond) * 1000 : undefined;
}
