import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';

const RESTORE_LOOK_MS = 10;

/** Behind a start, and where tasks have moved, stores answer when they are restored. */
export async function restored<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (thrown) {
      if (!isFlowError(thrown, 'query.restoring')) throw thrown;
      await clock.sleep(RESTORE_LOOK_MS);
    }
  }
}
