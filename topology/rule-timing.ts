import { fault, type PlanFault } from './faults.ts';
import type { NodeOf } from './plan.ts';

/** Spans are whole numbers, and a bound on jumps of time lets time go on at all. */
export function timingFaults({ id, timing }: NodeOf<'source'>): readonly PlanFault[] {
  if (timing === undefined) return [];
  const { maxAheadMs, watermark, align } = timing;
  const spans = {
    maxAhead: maxAheadMs,
    'watermark.maxOutOfOrderness': watermark?.maxOutOfOrdernessMs ?? null,
    'watermark.idle': watermark?.idleMs ?? null,
    'align.maxDrift': align?.maxDriftMs ?? null,
  };
  const found: PlanFault[] = [];
  for (const [name, span] of Object.entries(spans)) {
    const least = name === 'maxAhead' ? 1 : 0;
    if (span === null || (Number.isSafeInteger(span) && span >= least)) continue;
    found.push(fault('window', id, `${id}: ${name} is ${span} ms; say a whole number of at least ${least}`));
  }
  return found;
}
