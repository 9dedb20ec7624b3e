import type { Push, ResumableScan } from '../operators/operators.ts';
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

/**
 * A step that was undone has counted nothing: what it did count is found by running it once more, up to where it missed,
 * which is undone too. So a push that is counted costs no more than that.
 */
export function uncount({ step, counts, exact }: TaskParts, work: Pick<ResumableScan, 'advance'>): void {
  if (exact !== true) return;
  const counted = counts.slice();
  step.begin();
  try {
    work.advance();
  } catch {
    // it misses as before
  }
  step.rollback();
  step.missed = true;
  for (const [i, count] of counted.entries()) counts[i] = 2 * count - counts[i]!;
}

/** The same of the record of an input. */
export function uncountRecord(parts: TaskParts, input: Input, push: Push): void {
  const { streamTime } = parts;
  uncount(parts, {
    advance() {
      const { record } = input;
      input.load();
      if (record.timestamp > streamTime.value) streamTime.set(record.timestamp);
      push(record);
      return false;
    },
  });
}
