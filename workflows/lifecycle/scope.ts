import type { Json } from '../../core/ids.ts';
import type { At, FailureInfo } from '../../events/events.ts';
import { closeIteration } from './close.ts';
import { outside } from './row.ts';
import type { Step } from './step.ts';
import { failExecution } from './whole.ts';

/** A failure that nobody handles where it happened: it fails what is around it. */
export function failAround(step: Step, at: At, error: FailureInfo): void {
  const { parent, id } = step.node(at);
  if (parent < 0) {
    failExecution(step, error);
    return;
  }
  const { iteration, index } = outside(at.iteration);
  const container = { node: parent, iteration };
  const iterations = step.row(container).iterations;
  const open = iterations?.open.find((each) => each.index === index);
  if (open === undefined || open.failed || iterations?.closing != null) return;
  const value = { ...error, node: id } as unknown as Json;
  step.emit({ type: 'iteration', ...container, index, to: 'failing', value });
  closeIteration(step, container, index, 'upstream-failed', 'at-once');
  step.work.push(container);
}
