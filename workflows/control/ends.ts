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

/** Waits for ends of executions. */
export class Ends {
  readonly #parts: EndsParts;

  readonly #waiting = new Set<(reason: unknown) => void>();

  constructor(parts: EndsParts) {
    this.#parts = parts;
    const stop = (reason: unknown) => {
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
    const forget = answers.onEnd(id, resolve);
    try {
      // what has rows ends later; what has none has ended, or is about to, or was never there
      if (!(await inspector.isLive(id))) {
        const records = await inspector.history(id);
        if (records.length === 0) throw unknownExecution(id);
        if (isLast(records.at(-1)!)) return await this.#view(id, records);
      }
      const last = await promise;
      return await this.#view(id, last.seq === 1 ? [last] : await inspector.history(id));
    } finally {
      forget();
      this.#waiting.delete(reject);
      signal?.removeEventListener('abort', stop);
    }
  }

  async #view(id: string, records: readonly StepRecord[]): Promise<ExecutionView> {
    return viewOf((await this.#parts.inspector.fold(id, records))!);
  }
}
