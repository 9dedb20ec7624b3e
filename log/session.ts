import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { MemberOptions } from './log.ts';

const SESSION_TIMEOUT_MS: Millis = 6000;
/** Long enough to start a process again. */
const STATIC_SESSION_TIMEOUT_MS: Millis = 45_000;

/** After what time a member that is not heard of is out of its group. */
export function sessionOf({ instanceId, sessionTimeoutMs }: Pick<MemberOptions, 'instanceId' | 'sessionTimeoutMs'>) {
  return sessionTimeoutMs ?? (instanceId === undefined ? SESSION_TIMEOUT_MS : STATIC_SESSION_TIMEOUT_MS);
}

/** For drivers whose members come and go: a static one is refused, since it would lose its place unnoticed. */
export function refuseStatic(driver: string, { instanceId }: Pick<MemberOptions, 'instanceId'>): void {
  if (instanceId === undefined) return;
  throw new FlowError(
    'log.unsupported',
    `the driver ${driver} has no static members: leave out the instance id ${instanceId} (run.instanceId), or use the ` +
      'driver kafka',
  );
}
