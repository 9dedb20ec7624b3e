import { FlowError } from '../../core/errors.ts';
import type { Declaration, Declarations, Row } from './declarations.ts';

/** Gives each topic of a run of which groups keep positions slots that no other of the run has. */
export class Slots {
  readonly #declarations: Declarations;
  /** On their way, so that two at a time get none in common. */
  readonly #reserved = new Set<Pick<Declaration, 'run' | 'slot' | 'begins'>>();

  constructor(declarations: Declarations) {
    this.#declarations = declarations;
  }

  /** The first of so many side by side, all of them below `limit`; `undefined` where there are none left. */
  free(run: string, partitions: number, limit = this.#declarations.places): number | undefined {
    const taken = [...this.#declarations.ofRun(run), ...this.#reserved]
      .filter((each) => each.run === run && each.slot >= 0)
      .sort((one, other) => one.slot - other.slot);
    let slot = 0;
    for (const each of taken) {
      if (slot + partitions <= each.slot) break;
      slot = Math.max(slot, each.slot + each.begins.length);
    }
    return slot + partitions <= limit ? slot : undefined;
  }

  /** For a topic that is about to be made: half of all are left to those that get theirs later. */
  forNew(run: string, partitions: number): number | undefined {
    return this.free(run, partitions, Math.ceil(this.#declarations.places / 2));
  }

  async reserve<T>(what: Pick<Declaration, 'run' | 'slot' | 'begins'>, until: () => Promise<T>): Promise<T> {
    this.#reserved.add(what);
    try {
      return await until();
    } finally {
      this.#reserved.delete(what);
    }
  }

  /** The topic with its slots: those of a compacted one are found when the first position is kept. */
  async of(row: Row | null): Promise<Row | null> {
    let found = row;
    while (found !== null && found.slot < 0) {
      const { topic, run, begins } = found;
      const slot = this.free(run, begins.length);
      if (slot === undefined) {
        throw new FlowError(
          'topic.settings',
          `run ${run} keeps positions of more partitions than its lanes have, ${this.#declarations.places}, so that there ` +
            `is no place for ${topic}: give it topics of its own, or make more lanes`,
        );
      }
      const declared = { ...found, slot };
      await this.reserve(declared, () => this.#declarations.write([declared]));
      found = this.#declarations.live(topic) ?? null;
    }
    return found;
  }
}
