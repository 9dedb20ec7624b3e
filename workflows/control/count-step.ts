import type { StepRecord } from '../../events/events.ts';
import type { WorkflowFigures } from '../workflows.ts';

export type CountedFigures = { -readonly [name in keyof WorkflowFigures]: WorkflowFigures[name] };

export function countStep(figures: CountedFigures, { events }: StepRecord): void {
  figures.steps++;
  for (const event of events) {
    if (event.type === 'node' && event.to === 'COMPLETED') figures.nodes++;
    else if (event.type === 'started') figures.started++;
    else if (event.type === 'ended') figures.ended++;
  }
}
