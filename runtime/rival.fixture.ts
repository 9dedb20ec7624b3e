import assert from 'node:assert/strict';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../log/log.ts';
import type { Run } from './runtime.ts';

/**
 * Another member joins the run's group and leaves it, over and over, until the run is complete: tasks are taken away and
 * given back.
 */
export async function completeBesideRival(log: Log, run: Run, group: string): Promise<void> {
  let ended = false;
  const finished = run.finished.finally(() => {
    ended = true;
  });
  let taken = 0;
  while (!ended) {
    const other = await log.join({
      ...{ group, name: 'other', metadata: '' },
      assign: () => new Map(),
      onAssign: ({ tasks }) => {
        taken += tasks.length;
      },
      onRevoke: async () => undefined,
      onLost: () => undefined,
    });
    await systemClock.sleep(1);
    await other.leave();
    await systemClock.sleep(5);
  }
  assert.equal((await finished).how, 'complete');
  assert.ok(taken > 3, `${taken} tasks were taken`);
}
