import type { Ledger } from '../checkpoints/checkpoints.ts';
import { partitionName } from '../core/ids.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/**
 * Where the topics of a run end, as far as is known: topics written by the plan when all their writers have ended, and in
 * a bounded run topics that were there before as its ledger row fixes them.
 */
export function endsOfTopics(
  index: PlanIndex,
  specs: ReadonlyMap<string, TaskSpec>,
  ledger: Ledger,
): (topic: string) => readonly number[] | undefined {
  const tasksOf = new Map<string, string[]>();
  for (const spec of specs.values()) {
    const list = tasksOf.get(spec.stage) ?? [];
    list.push(spec.id);
    tasksOf.set(spec.stage, list);
  }
  return (topic) => {
    const partitions = index.topics.get(topic)!.partitions;
    const writers = index.writers(topic);
    if (writers.length > 0) {
      return ledger.topicEnds(
        topic,
        partitions,
        writers.flatMap((stage) => tasksOf.get(stage.id) ?? []),
      );
    }
    const run = ledger.run;
    if (run === undefined || run.ends[partitionName(topic, 0)] === undefined) return undefined;
    return Array.from({ length: partitions }, (_, p) => run.ends[partitionName(topic, p)] ?? 0);
  };
}
