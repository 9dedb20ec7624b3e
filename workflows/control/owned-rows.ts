import { isFlowError } from '../../core/errors.ts';
import type { Json, Millis } from '../../core/ids.ts';
import type { Run } from '../../runtime/runtime.ts';
import { committedRows } from './committed-rows.ts';
import { DUE_DONE, startOfDone } from './done-rows.ts';
import { partitionOf } from './history.ts';
import { CONTROL_STORE, DONE_STORE } from './program.ts';
import { decodeHeader } from './row-codec.ts';
import { headerName } from './stored-rows.ts';

/** What the owner of an execution knows of it without its step records. */
export interface OwnedLook {
  /** It has begun and not ended, committed or not. */
  readonly isLive: boolean;
  /** Undefined where it is not known, or not any more. */
  readonly startedAt: Millis | undefined;
}

/**
 * The rows of executions that this process owns. The partition of an execution says who does; one that is elsewhere, or
 * moves, or is being restored, is answered with `undefined`.
 */
export class OwnedRows {
  readonly #run: Run;
  readonly #partitions: number;

  constructor(run: Run, partitions: number) {
    this.#run = run;
    this.#partitions = partitions;
  }

  /** All rows of an execution, by what is committed; none where it has ended. */
  committed(execution: string): Promise<readonly (readonly [string, Json])[] | undefined> {
    const partition = partitionOf(execution, this.#partitions);
    return owned(() => committedRows(this.#run, partition, `${execution}\0`, `${execution}\u0001`));
  }

  look(execution: string): Promise<OwnedLook | undefined> {
    const read = { read: 'live', partition: partitionOf(execution, this.#partitions) } as const;
    return owned(async () => {
      const control = this.#run.query.store<string, Json>(CONTROL_STORE);
      const header = await control.get(headerName(execution), read);
      if (header !== undefined) {
        return { isLive: true, startedAt: decodeHeader(execution, header).header.startedAt };
      }
      const due = execution.includes('@') ? await control.get(`${DUE_DONE}${execution}`, read) : undefined;
      if (due !== undefined) return { isLive: false, startedAt: startOfDone(due as string) };
      const done = this.#run.query.store<string, string>(DONE_STORE);
      const [row] = await done.window(execution, 0, Number.MAX_SAFE_INTEGER, { ...read, limit: 1 });
      return { isLive: false, startedAt: row === undefined ? undefined : startOfDone(row.value) };
    });
  }
}

/** Undefined where what is asked for is of another process, or moves, or is being restored. */
export async function owned<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (isFlowError(thrown, 'query.elsewhere') || isFlowError(thrown, 'query.restoring')) return undefined;
    throw thrown;
  }
}
