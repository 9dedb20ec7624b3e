import { FlowError } from '../../core/errors.ts';
import type { StepRecord } from '../../events/events.ts';
import type { Run } from '../../runtime/runtime.ts';
import type { ExecutionView } from '../workflows.ts';
import { type Answers, type Ended, type EndWaiter, endOf, isLast } from './answers.ts';
import { type Inspector, unknownExecution } from './inspector.ts';
import { viewOf } from './views.ts';

export interface EndsParts {
  readonly run: Run;
  readonly answers: Answers;
  readonly inspector: Inspector;
}

export interface Following {
  readonly ended: Promise<Ended>;
  /** The coordinator has not told it with the answer to the start: it comes through the log. */
  heed(): void;
  stop(): void;
}

/** Whoever waits hears of it as well. */
function ignored(): void {}

interface Last {
  readonly last: StepRecord;
  /** All of its steps. */
  read(): Promise<readonly StepRecord[]>;
}

/**
 * Waits for ends of executions, of this process or of others: every process reads the committed step records. What is
 * live here ends later; of all else the history says whether it has ended.
 */
export class Ends {
  readonly #parts: EndsParts;
  readonly #waiting = new Set<EndWaiter>();
  #stopped: { readonly reason: unknown } | undefined;

  constructor(parts: EndsParts) {
    this.#parts = parts;
    const stop = (reason: unknown) => {
      this.#stopped = { reason };
      for (const each of this.#waiting) each.fail(reason);
    };
    const why = 'the engine has stopped before the execution ended, which goes on when it is started again';
    parts.run.finished.then(() => stop(new FlowError('stopped', why)), stop);
  }

  async ended(id: string, signal?: AbortSignal): Promise<ExecutionView> {
    const { last, read } = await this.#last(id, signal);
    return this.#view(id, last.seq === 1 ? [last] : await read());
  }

  /** The end of an execution that is about to be started: nothing is looked at, since it has not ended yet. */
  follow(id: string): Following {
    const { answers } = this.#parts;
    const { promise, resolve, reject } = Promise.withResolvers<Ended>();
    promise.catch(ignored);
    if (this.#stopped !== undefined) reject(this.#stopped.reason);
    let hasEnded = false;
    const told = (ended: Ended) => {
      hasEnded = true;
      resolve(ended);
    };
    const waiter: EndWaiter = { take: (last) => told(endOf(last)!), told, fail: reject };
    this.#waiting.add(waiter);
    answers.onEnd(id, waiter);
    const heed = () => {
      if (!hasEnded) answers.heed(waiter);
    };
    const stop = () => {
      answers.forget(id, waiter);
      this.#waiting.delete(waiter);
    };
    return { ended: promise, heed, stop };
  }

  /** What the last step says, of which the others are not read. */
  async outcome(id: string, signal?: AbortSignal): Promise<Ended> {
    const { last } = await this.#last(id, signal);
    return endOf(last)!;
  }

  async #last(id: string, signal?: AbortSignal): Promise<Last> {
    const { answers, inspector } = this.#parts;
    const recent = answers.recent(id);
    if (recent !== undefined && isLast(recent)) return { last: recent, read: async () => [recent] };
    const { promise, resolve, reject } = Promise.withResolvers<StepRecord>();
    const stop = () => reject(signal?.reason);
    promise.catch(ignored);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    const waiter: EndWaiter = { take: resolve, fail: reject };
    this.#waiting.add(waiter);
    answers.onEnd(id, waiter);
    answers.heed(waiter);
    try {
      const look = await inspector.look(id);
      const { startedAt } = look ?? {};
      const reading = { startedAt, signal, decided: true };
      if (look?.isLive !== true) {
        const records = await inspector.records(id, reading);
        if (records.length === 0) throw unknownExecution(id);
        const last = records.at(-1)!;
        if (isLast(last)) return { last, read: async () => records };
      }
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      return { last: await promise, read: () => inspector.records(id, reading) };
    } finally {
      answers.forget(id, waiter);
      this.#waiting.delete(waiter);
      signal?.removeEventListener('abort', stop);
    }
  }

  async #view(id: string, records: readonly StepRecord[]): Promise<ExecutionView> {
    const folded = await this.#parts.inspector.fold(id, records);
    // its beginning is not kept any more
    if (folded === undefined) throw unknownExecution(id);
    return viewOf(folded);
  }
}
