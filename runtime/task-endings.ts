import type { Operator, ResumableScan } from '../operators/operators.ts';
import type { EarlyEnd } from './build.ts';
import type { Input } from './inputs.ts';

/** What a task lends to its end. */
export interface EndingWork {
  /** Runs a piece of work as a step of its own; `again`: when the scans that it has asked for have run. */
  attempt(work: Pick<ResumableScan, 'advance'>): boolean | 'miss' | 'again' | 'blocked';
  /** Runs what scans and results are pending; answers why it cannot go on, if so. */
  runPending(): Halt | undefined;
  /** Records of which a call is on its way. */
  inFlight(): number;
  /** Something was done that is to be committed. */
  worked(): void;
}

/** A cold read, or nothing to do until a call has ended. */
type Halt = 'miss' | 'idle';

/** How many operators, in their order, have been told of the end; -1: none, and scans may be pending. */
interface Ending {
  readonly operators: readonly Operator[];
  at: number;
}

/**
 * The end of a task: when all its inputs have ended, its operators are told so one after the other, and what they start
 * (windows that close) comes to its end. A topic that ends before the task does so too, by the inputs and operators that
 * lead to it. What is in flight comes before the end of the operators behind it, so none is told while a call is on its
 * way. A cold read cuts the work short, as such a wait does, and it goes on from there.
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

  /** Does what is due; `idle`: nothing is left to do now. */
  advance(): Halt {
    if (this.finished) return 'idle';
    if (!this.#inputs.every((input) => input.ended)) return this.#endTopics();
    const halt = this.#end(this.#whole);
    this.finished = halt === undefined;
    return halt ?? 'idle';
  }

  #endTopics(): Halt {
    for (const [{ topic, inputs }, ending] of this.#early) {
      const ended = this.#inputs.every((input) => input.ended || !inputs.has(input.node));
      if (!ended || this.topics.has(topic)) continue;
      const halt = this.#end(ending);
      if (halt !== undefined) return halt;
      this.topics.add(topic);
    }
    return 'idle';
  }

  /** Undefined when all operators know. */
  #end(ending: Ending): Halt | undefined {
    const { operators } = ending;
    const work = this.#work;
    while (ending.at < operators.length) {
      if (work.inFlight() > 0) return 'idle';
      if (ending.at >= 0) {
        const operator = operators[ending.at]!;
        const result = work.attempt({
          advance() {
            operator.end?.();
            return true;
          },
        });
        if (result === 'miss') return 'miss';
        if (result === 'blocked') return 'idle';
        if (result === 'again') {
          const halt = work.runPending();
          if (halt !== undefined) return halt;
          continue;
        }
      }
      ending.at++;
      work.worked();
      const halt = work.runPending();
      if (halt !== undefined) return halt;
    }
    return work.inFlight() > 0 ? 'idle' : undefined;
  }
}
