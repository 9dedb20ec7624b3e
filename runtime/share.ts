import type { InputFigures } from './host.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

export interface ShareParts {
  readonly index: PlanIndex;
  readonly specs: readonly TaskSpec[];
  readonly inputs: readonly InputFigures[];
  isEnded(task: string): boolean;
}

/**
 * How much of a bounded run is done, 0 to 1: that of the stage that is furthest behind. A stage fed by a connector
 * has done the part of its rows that it has read; one fed by a topic has done the part of the topic that it has read,
 * of the part that the topic's writers have done. `undefined` while a size is not known.
 */
export function shareDone(parts: ShareParts): number | undefined {
  const stages = new Map<string, number | undefined>();
  let least = 1;
  for (const stage of parts.index.stages.keys()) {
    const share = stageShare(parts, stage, stages);
    if (share === undefined) return undefined;
    least = Math.min(least, share);
  }
  return least;
}

function stageShare(parts: ShareParts, stage: string, known: Map<string, number | undefined>): number | undefined {
  if (known.has(stage)) return known.get(stage);
  // what stands while its writers are asked: a topic that comes back to its own writer has no known size
  known.set(stage, undefined);
  const specs = parts.specs.filter((spec) => spec.stage === stage);
  const weights = specs.map((spec) => spec.split?.records ?? 1);
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  let done = 0;
  for (const [i, spec] of specs.entries()) {
    const share = parts.isEnded(spec.id) ? 1 : taskShare(parts, spec, known);
    if (share === undefined) return undefined;
    done += share * weights[i]!;
  }
  const share = whole === 0 ? 1 : done / whole;
  known.set(stage, share);
  return share;
}

function taskShare(parts: ShareParts, spec: TaskSpec, known: Map<string, number | undefined>): number | undefined {
  if (spec.split !== undefined && spec.split.records === undefined) return undefined;
  const inputs = parts.inputs.filter((input) => input.task === spec.id);
  if (inputs.length === 0) return undefined;
  let least = 1;
  for (const { topic, done, left } of inputs) {
    const written = spec.split === undefined ? writtenShare(parts, topic, known) : 1;
    if (written === undefined) return undefined;
    least = Math.min(least, done + left === 0 ? written : (written * done) / (done + left));
  }
  return least;
}

/** How much of a topic its writers have written; all of it, where it was there before. */
function writtenShare(parts: ShareParts, topic: string, known: Map<string, number | undefined>): number | undefined {
  let least = 1;
  for (const writer of parts.index.writers(topic)) {
    const share = stageShare(parts, writer.id, known);
    if (share === undefined) return undefined;
    least = Math.min(least, share);
  }
  return least;
}
