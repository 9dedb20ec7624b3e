import type { At, FailureInfo } from '../../events/events.ts';
import { HELD_AFTER } from './limits.ts';
import type { Step } from './step.ts';

/** The code of an attempt whose process ended while it ran. */
export const PROCESS_LOST = 'workflow.process-lost';
const QUARANTINED = 'workflow.quarantined';

export function isLoss({ code }: FailureInfo): boolean {
  return code === PROCESS_LOST || code === QUARANTINED;
}

/** Whether a failure is the last of as many in a row as lead to quarantine. */
export function isQuarantined(step: Step, at: At, error: FailureInfo): boolean {
  if (error.code !== PROCESS_LOST || !step.node(at).quarantine) return false;
  return step.row(at).lost + 1 >= (step.parts.heldAfter ?? HELD_AFTER);
}

export function quarantined(step: Step, at: At, error: FailureInfo): FailureInfo {
  const { id } = step.node(at);
  const message =
    `${step.row(at).lost + 1} processes in a row have ended while ${id} ran: it is held, so that it ends no more of them. ` +
    'See in their logs what ended them; mend the task or choose another input; then retry the node, which calls it once ' +
    'more apart from others, or give its output, skip it or fail it';
  return { ...error, code: QUARANTINED, message };
}
