import { KeptNumbers, progressTopic } from '../checkpoints/checkpoints.ts';
import type { Log } from '../log/log.ts';
import type { MetricRow } from '../telemetry/telemetry.ts';
import type { Plan, Stage } from '../topology/plan.ts';
import { COUNTED_DROPS } from './drops.ts';
import { eachRecord } from './each-record.ts';
import { countOf, keptOf } from './kept-counts.ts';
import { METRICS, type MetricName } from './metric-table.ts';
import { PlanIndex } from './stage.ts';

/** The metrics that `keepCounts` keeps. */
export const COUNTED_METRICS = [
  'nodeflow_node_records_total',
  'nodeflow_input_records_total',
  ...Object.values(COUNTED_DROPS),
] as const satisfies readonly MetricName[];

/**
 * What the tasks of an application have counted in all that is committed, as rows of metrics, whoever ran them: read from
 * their progress as the log has it. None of what was done without `keepCounts`.
 */
export async function committedCounts(log: Log, plan: Plan): Promise<readonly MetricRow[]> {
  const index = new PlanIndex(plan);
  const found = await Promise.all(
    plan.stages.map(async (stage) => {
      const topic = progressTopic(plan.name, stage.id);
      const partitions = (await log.admin.describe(topic))?.settings.partitions ?? 0;
      const tasks = Array.from({ length: partitions }, async (_, partition) => {
        const labels = { application: plan.name, task: `${stage.id}_${partition}` };
        return rowsOf(index, stage, await latest(log, topic, partition), labels);
      });
      return (await Promise.all(tasks)).flat();
    }),
  );
  return found.flat();
}

function rowsOf(
  index: PlanIndex,
  stage: Stage,
  kept: ReadonlyMap<string, number>,
  task: { readonly [label: string]: string },
): readonly MetricRow[] {
  if (kept.size === 0) return [];
  const row = (name: MetricName, labels: { readonly [label: string]: string }, value: number): MetricRow => ({
    ...{ name, help: METRICS[name].help, type: 'counter', labels: { ...task, ...labels }, values: [value] },
  });
  const rows: MetricRow[] = [];
  for (const node of index.stageNodes(stage)) {
    const { all, from } = keptOf(node, (name) => kept.get(name));
    rows.push(row('nodeflow_node_records_total', { node: node.id }, all));
    for (const [input, count] of node.inputs.length < 2 ? [] : from)
      rows.push(row('nodeflow_input_records_total', { node: node.id, input }, count));
  }
  for (const [name, value] of kept) {
    const { node, kind, of } = countOf(name)!;
    const metric = COUNTED_DROPS[kind];
    if (metric !== undefined) rows.push(row(metric, { node, reason: of }, value));
  }
  return rows;
}

/** The newest value of each count. */
async function latest(log: Log, topic: string, partition: number): Promise<ReadonlyMap<string, number>> {
  const kept = new Map<string, number>();
  await eachRecord(log, topic, partition, ({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }, i) => {
    const name = bytes.toString('utf8', keyStarts[i]!, keyEnds[i]!);
    if (countOf(name) === undefined) return;
    if (valueStarts[i]! < 0) kept.delete(name);
    else kept.set(name, KeptNumbers.recorded(bytes, valueStarts[i]!, valueEnds[i]!));
  });
  return kept;
}
