import { FlowError } from '../../core/errors.ts';
import type { StepRecord } from '../../events/events.ts';
import type { Run } from '../../runtime/runtime.ts';
import type { ExecutionView } from '../workflows.ts';
import { type Answers, isLast } from './answers.ts';
import { type Inspector, unknownExecution } from './inspector.ts';
import { viewOf } from './views.ts';

export interface EndsParts {
  readonly run: Run;
  readonly answers: Answers;
  readonly inspector: Inspector;
}

/**
 * Waits for ends of executions, of this process or of others: every process reads the committed step records. What is
 * live here ends later; of all else the history says whether it has ended.
 */
export class Ends {
  readonly #parts: EndsParts;
  readonly #waiting = new Set<(reason: unknown) => void>();
  #stopped: { readonly reason: unknown } | undefined;

  constructor(parts: EndsParts) {
    this.#parts = parts;
    const stop = (reason: unknown) => {
      this.#stopped = { reason };
      for (const reject of this.#waiting) reject(reason);
    };
    const why = 'the engine has stopped before the execution ended, which goes on when it is started again';
    parts.run.finished.then(() => stop(new FlowError('stopped', why)), stop);
  }

  async ended(id: string, signal?: AbortSignal): Promise<ExecutionView> {
    const { answers, inspector } = this.#parts;
    const recent = answers.recent(id);
    if (recent !== undefined && isLast(recent)) return this.#view(id, [recent]);
    const { promise, resolve, reject } = Promise.withResolvers<StepRecord>();
    const stop = () => reject(signal?.reason);
    promise.catch(() => undefined);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.#waiting.add(reject);
    const forget = answers.onEnd(id, { take: resolve, fail: reject });
    try {
      const look = await inspector.look(id);
      const { startedAt } = look ?? {};
      const reading = { startedAt, signal, decided: true };
      if (look?.isLive !== true) {
        const records = await inspector.records(id, reading);
        if (records.length === 0) throw unknownExecution(id);
        if (isLast(records.at(-1)!)) return await this.#view(id, records);
      }
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      const last = await promise;
      return await this.#view(id, last.seq === 1 ? [last] : await inspector.records(id, reading));
    } finally {
      forget();
      this.#waiting.delete(reject);
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
