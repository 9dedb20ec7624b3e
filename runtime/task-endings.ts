import type { Operator, ResumableScan } from '../operators/operators.ts';
import type { EarlyEnd } from './build.ts';
import type { Input } from './inputs.ts';

/** What a task lends to its end. */
export interface EndingWork {
  /** Runs a piece of work as a step of its own; `again`: when the scans that it has asked for have run. */
  attempt(work: Pick<ResumableScan, 'advance'>): boolean | 'miss' | 'again';
  /** Runs what scans are pending; false on a miss. */
  runScans(): boolean;
  /** Something was done that is to be committed. */
  worked(): void;
}

/** How many operators, in their order, have been told of the end; -1: none, and scans may be pending. */
interface Ending {
  readonly operators: readonly Operator[];
  at: number;
}

/**
 * The end of a task: when all its inputs have ended, its operators are told so one after the other, and what they start
 * (windows that close) comes to its end. A topic that ends before the task does so too, by the inputs and operators that
 * lead to it. A cold read cuts the work short, and it goes on from there.
 */
export class TaskEndings {
  /** All inputs have ended, and all operators know. */
  finished = false;
  /** Topics that the task writes no more. */
  readonly topics = new Set<string>();
  readonly #inputs: readonly Input[];
  readonly #work: EndingWork;
  readonly #whole: Ending;
  readonly #early = new Map<EarlyEnd, Ending>();

  constructor(inputs: readonly Input[], operators: readonly Operator[], early: readonly EarlyEnd[], work: EndingWork) {
    this.#inputs = inputs;
    this.#work = work;
    this.#whole = { operators, at: -1 };
    for (const each of early) this.#early.set(each, { operators: each.operators, at: -1 });
  }

  /** Does what is due; false on a miss. */
  advance(): boolean {
    if (this.finished) return true;
    if (!this.#inputs.every((input) => input.ended)) return this.#endTopics();
    this.finished = this.#end(this.#whole);
    return this.finished;
  }

  #endTopics(): boolean {
    for (const [{ topic, inputs }, ending] of this.#early) {
      const ended = this.#inputs.every((input) => input.ended || !inputs.has(input.node));
      if (!ended || this.topics.has(topic)) continue;
      if (!this.#end(ending)) return false;
      this.topics.add(topic);
    }
    return true;
  }

  #end(ending: Ending): boolean {
    const { operators } = ending;
    const work = this.#work;
    while (ending.at < operators.length) {
      if (ending.at >= 0) {
        const operator = operators[ending.at]!;
        const result = work.attempt({
          advance() {
            operator.end?.();
            return true;
          },
        });
        if (result === 'miss') return false;
        if (result === 'again') {
          if (!work.runScans()) return false;
          continue;
        }
      }
      ending.at++;
      work.worked();
      if (!work.runScans()) return false;
    }
    return true;
  }
}
