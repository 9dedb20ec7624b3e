import type { Bytes } from '../core/bytes.ts';
import type { Step, Undoable } from '../core/step.ts';
import type { CellTable, RowFormat } from '../state/state.ts';

/** A progress row is one double, big-endian. */
export const PROGRESS_FORMAT: RowFormat = {
  width: 1,
  encode(cells, base, out) {
    out.double(cells[base]!);
  },
  decode(bytes, start, _end, cells, base) {
    cells[base] = bytes.readDoubleBE(start);
  },
};

/** A number that is undone with its step and saved with its task's progress when it has changed. */
class Kept implements Undoable {
  value: number;
  readonly name: Bytes;
  saved: number;
  #before = 0;
  #touchedIn = -1;
  readonly #step: Step;

  constructor(name: string, initial: number, step: Step) {
    this.name = Buffer.from(name);
    this.value = initial;
    this.saved = Number.NaN;
    this.#step = step;
  }

  set(value: number): void {
    if (value === this.value) return;
    const serial = this.#step.serial;
    if (this.#touchedIn !== serial) {
      this.#touchedIn = serial;
      this.#before = this.value;
      this.#step.touch(this);
    }
    this.value = value;
  }

  rollback(): void {
    this.value = this.#before;
  }
}

/**
 * The numbers of one task: operator times, cursors, the next due time of timers. They live in memory; `save`
 * writes the changed ones into the progress table just before the cut, so they share its changelog and restore.
 */
export class KeptNumbers {
  readonly #step: Step;
  readonly #table: CellTable;
  readonly #numbers = new Map<string, Kept>();

  constructor(table: CellTable, step: Step) {
    this.#table = table;
    this.#step = step;
  }

  /** The number of that name: as restored, else `initial`. The progress table is restored and hot by now. */
  number(name: string, initial: number): { readonly value: number; set(value: number): void } {
    let kept = this.#numbers.get(name);
    if (kept === undefined) {
      kept = new Kept(name, initial, this.#step);
      const table = this.#table;
      if (table.find(0, kept.name, 0, kept.name.length)) {
        kept.value = table.cells[table.base]!;
        kept.saved = kept.value;
      }
      this.#numbers.set(name, kept);
    }
    return kept;
  }

  /** Writes changed numbers into the table, as a step of its own. */
  save(): void {
    this.#step.begin();
    for (const kept of this.#numbers.values()) {
      if (kept.value === kept.saved) continue;
      this.#table.update(0, kept.name, 0, kept.name.length);
      this.#table.cells[this.#table.base] = kept.value;
      kept.saved = kept.value;
    }
    this.#step.settle();
  }
}
