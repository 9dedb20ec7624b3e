import { isFlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { World } from './world.ts';

/** How long it is tried to come back to a gateway that has gone, and how long between two tries. */
const PATIENCE_MS: Millis = 60_000;
const PAUSE_MS: Millis = 500;

/**
 * Follows something live, and begins again where the gateway closes the stream, as it does when it is restarted or its
 * reader is too slow. `stands` is to be called whenever something came: patience counts from there.
 */
export async function connected<T>(
  { clock, stop, err }: Pick<World, 'clock' | 'stop' | 'err'>,
  follow: (stands: () => void) => Promise<T>,
): Promise<T> {
  let stoodAt: Millis | undefined;
  let said = false;
  const stands = () => {
    stoodAt = clock.monotonic();
    said = false;
  };
  for (;;) {
    try {
      return await follow(stands);
    } catch (thrown) {
      const isCut = isFlowError(thrown, 'gateway.closed');
      if (isCut) stoodAt ??= clock.monotonic();
      const isGone = isCut || isFlowError(thrown, 'gateway.unreachable');
      if (!isGone || stoodAt === undefined || clock.monotonic() - stoodAt > PATIENCE_MS) throw thrown;
      if (!said) err(`${thrown.message}; connecting again`);
      said = true;
      await clock.sleep(PAUSE_MS, stop);
      if (stop.aborted) throw thrown;
    }
  }
}
