import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

const LOOK_MS: Millis = 50;
/** Who has no answer by then, or has asked nothing, is cut off. */
const GRACE_MS: Millis = 5000;

/**
 * Closes a server: what was asked is answered, and connections that carry nothing are closed. Node closes those that are
 * idle at the first moment alone; one whose answer was just leaving, or on which nothing was asked yet, would hold the
 * server open for as long as its client likes.
 */
export async function closeServer(app: FastifyInstance, clock: Pick<Clock, 'monotonic' | 'sleep'>): Promise<void> {
  const closed = new AbortController();
  const closing = app.close().finally(() => closed.abort(null));
  const late = clock.monotonic() + GRACE_MS;
  while (!closed.signal.aborted) {
    if (clock.monotonic() < late) app.server.closeIdleConnections();
    else app.server.closeAllConnections();
    await clock.sleep(LOOK_MS, closed.signal);
  }
  await closing;
}
