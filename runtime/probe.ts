import type { Input } from './inputs.ts';
import type { TaskParts } from './task-parts.ts';

/** How far a probe looks ahead. */
const PROBE_RECORDS = 4096;

/**
 * Runs the records behind the one that missed, to collect what they will read: every effect is undone, and the input
 * stands where it stood.
 */
export function probe(input: Input, { step, counts: counted, scans, calls }: TaskParts): void {
  const at = input.index;
  step.probing = true;
  const counts = counted.slice();
  const end = at + Math.min(input.left, PROBE_RECORDS);
  for (let index = at + 1; index < end; index++) {
    input.seek(index);
    step.begin();
    try {
      input.load();
      input.push(input.record);
    } catch {
      // A miss has noted what it wants; any other failure shows when the record runs for real.
    }
    step.rollback();
  }
  scans.forgetFirst();
  calls.takeBlocked();
  step.probing = false;
  counted.set(counts);
  input.seek(at);
}
