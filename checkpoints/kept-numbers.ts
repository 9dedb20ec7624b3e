import { assert } from '../core/assert.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Step, Undoable } from '../core/step.ts';
import { type BytesTable, imageValue, PLAIN, type TaskState } from '../state/state.ts';
import { PROGRESS } from './progress.ts';

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

/** A progress row is one double, big-endian. */
const ROW_BYTES = 8;

/**
 * The numbers of one task: operator times, cursors, the next due time of timers. They live in memory; `save`
 * writes the changed ones into the progress table just before the cut, so they share its changelog and restore.
 */
export class KeptNumbers {
  readonly #step: Step;
  readonly #table: BytesTable;
  readonly #numbers = new Map<string, Kept>();
  readonly #restored = new Map<string, number>();
  readonly #row = Buffer.alloc(ROW_BYTES);

  private constructor(table: BytesTable, step: Step) {
    this.#table = table;
    this.#step = step;
  }

  /** Reads what was saved; the progress table is restored by now. */
  static async load(state: TaskState, step: Step): Promise<KeptNumbers> {
    const table = state.table(PROGRESS);
    assert(table.kind === 'bytes', () => 'the progress table holds bytes');
    const numbers = new KeptNumbers(table, step);
    const scan = table.scan(PLAIN);
    for (;;) {
      step.begin();
      let more = false;
      try {
        more = scan.next();
      } catch (thrown) {
        if (!step.missed) throw thrown;
      }
      if (step.missed) {
        step.rollback();
        await state.fetchWanted();
        continue;
      }
      step.settle();
      if (!more) break;
      numbers.#restored.set(scan.key.toString('utf8', scan.keyStart, scan.keyEnd), scan.bytes.readDoubleBE(scan.start));
    }
    state.unpin();
    return numbers;
  }

  /** The number of that name: as restored, else `initial`. */
  number(name: string, initial: number): { readonly value: number; set(value: number): void } {
    let kept = this.#numbers.get(name);
    if (kept === undefined) {
      const restored = this.#restored.get(name);
      kept = new Kept(name, restored ?? initial, this.#step);
      if (restored !== undefined) kept.saved = restored;
      this.#numbers.set(name, kept);
    }
    return kept;
  }

  /** The number of that name, where there is one. */
  value(name: string): number | undefined {
    return this.#numbers.get(name)?.value ?? this.#restored.get(name);
  }

  /** The names of all that were saved when it was loaded. */
  restored(): Iterable<string> {
    return this.#restored.keys();
  }

  /** The number of that name as the table has it, which may be that of committed epochs; may miss. */
  static in(table: BytesTable, name: string): number | undefined {
    const key = Buffer.from(name);
    return table.find(PLAIN, key, 0, key.length) ? table.bytes.readDoubleBE(table.start) : undefined;
  }

  /** A number as a record of the changelog has it. */
  static recorded(bytes: Bytes, start: number, end: number): number {
    return bytes.readDoubleBE(imageValue(PROGRESS, bytes, start, end));
  }

  /** Writes changed numbers into the table, as a step of its own. */
  save(): void {
    this.#step.begin();
    for (const kept of this.#numbers.values()) {
      if (kept.value === kept.saved) continue;
      this.#row.writeDoubleBE(kept.value);
      this.#table.put(PLAIN, kept.name, 0, kept.name.length, this.#row, 0, ROW_BYTES, 0);
      kept.saved = kept.value;
    }
    this.#step.settle();
  }
}
