import type { Source } from '../connectors/connectors.ts';
import type { Program } from '../topology/topology.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** Lists the tasks of a plan: stages times partitions, or times the splits of their connector. */
export async function listTasks(program: Program, index: PlanIndex): Promise<readonly TaskSpec[]> {
  const specs: TaskSpec[] = [];
  for (const stage of index.plan.stages) {
    const connector = index.connector(stage);
    if (connector === undefined) {
      for (let partition = 0; partition < stage.partitions; partition++) {
        specs.push({ id: `${stage.id}_${partition}`, stage: stage.id, partition, split: undefined });
      }
      continue;
    }
    const source = program.code.fn(connector.source) as Source<unknown>;
    const splits = await source.splits();
    splits.forEach((split, partition) => {
      specs.push({ id: `${stage.id}_${partition}`, stage: stage.id, partition, split });
    });
  }
  return specs;
}
