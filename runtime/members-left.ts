import type { Clock } from '../core/clock.ts';
import type { Log } from '../log/log.ts';

const LEAVE_MS = 15_000;
const LEAVE_PAUSE_MS = 100;

/** Who is still in the group of an application. Whoever is about to end, or was killed a moment ago, is waited for. */
export async function membersLeft(log: Log, application: string, clock: Clock): Promise<readonly string[]> {
  for (const giveUpAt = clock.monotonic() + LEAVE_MS; ; await clock.sleep(LEAVE_PAUSE_MS)) {
    const members = (await log.admin.groups([application]))[0]?.members ?? [];
    if (members.length === 0 || clock.monotonic() >= giveUpAt) return members;
  }
}
