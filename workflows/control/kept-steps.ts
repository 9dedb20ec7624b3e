import type { Bytes } from '../../core/bytes.ts';
import type { Position } from '../../core/ids.ts';

/** Encoded records of all that are kept. */
const MOST_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside them. */
const ENTRY_BYTES = 512;
/** Executions of which the first position is known. */
const MOST_FIRSTS = 16_384;

/** What was read of an execution. */
export interface KeptSteps {
  /** The position of its first step; undefined where there is none below `next`. */
  readonly first: Position | undefined;
  readonly records: readonly Bytes[];
  /** Where to go on. */
  readonly next: Position;
  readonly hasEnded: boolean;
}

/** What was read lately, so that whoever asks again reads only what has come since; and where it began, for longer. */
export class KeptHistories {
  readonly #kept = new Map<string, KeptSteps & { readonly bytes: number }>();
  readonly #firsts = new Map<string, Position>();
  #bytes = 0;

  find(execution: string): KeptSteps | undefined {
    const found = this.#kept.get(execution);
    if (found === undefined) return undefined;
    this.#kept.delete(execution);
    this.#kept.set(execution, found);
    return found;
  }

  /** The position of its first step. */
  firstOf(execution: string): Position | undefined {
    return this.#firsts.get(execution);
  }

  put(execution: string, steps: KeptSteps): void {
    if (steps.first !== undefined) {
      this.#firsts.delete(execution);
      this.#firsts.set(execution, steps.first);
      if (this.#firsts.size > MOST_FIRSTS) this.#firsts.delete(this.#firsts.keys().next().value!);
    }
    const before = this.#kept.get(execution);
    // two who ask at once
    if (before !== undefined && before.next > steps.next) return;
    this.#drop(execution);
    const bytes = steps.records.reduce((sum, record) => sum + record.length, ENTRY_BYTES);
    if (bytes > MOST_BYTES / 2) return;
    this.#kept.set(execution, { ...steps, bytes });
    this.#bytes += bytes;
    while (this.#bytes > MOST_BYTES) this.#drop(this.#kept.keys().next().value!);
  }

  #drop(execution: string): void {
    this.#bytes -= this.#kept.get(execution)?.bytes ?? 0;
    this.#kept.delete(execution);
  }
}
