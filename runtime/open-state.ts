import { join } from 'node:path';
import { changelogTopic, PROGRESS, progressTopic, type TableChangelog } from '../checkpoints/checkpoints.ts';
import type { Clock } from '../core/clock.ts';
import type { TaskId } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { Budget, StateBackend, TableSpec, TaskState } from '../state/state.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type PlanNode, STORE_FORMS, type Stage } from '../topology/plan.ts';
import type { Program } from '../topology/topology.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

export interface OpenStateParts {
  readonly program: Program;
  readonly index: PlanIndex;
  readonly backend: StateBackend;
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly step: Step;
  readonly budget: Budget;
}

/** The tables of a stage's tasks: its stores, and the progress. */
export function tableSpecs(program: Program, index: PlanIndex, stage: Stage): readonly TableSpec[] {
  const tables: TableSpec[] = stage.stores.map((name) => {
    const store = index.stores.get(name)!;
    const { paned, raw, ordered } = STORE_FORMS[store.kind];
    return {
      name,
      windowed: paned,
      cells: raw ? undefined : program.code.stored(store).cells,
      ordered: ordered || store.nodes.some((node) => rangesOver(index.nodes.get(node)!)),
    };
  });
  tables.push({ name: PROGRESS, windowed: false, ordered: false });
  return tables;
}

/** Nodes that look for more than the row of a key. */
function rangesOver(node: PlanNode): boolean {
  return node.kind === 'process' || (node.kind === 'aggregate' && node.beside !== null);
}

/** The topic of a table's changelog. */
export function changelogOf(application: string, stage: Stage, table: string): string {
  return table === PROGRESS ? progressTopic(application, stage.id) : changelogTopic(application, table);
}

export function changelogsOf(program: Program, index: PlanIndex, stage: Stage): readonly TableChangelog[] {
  return tableSpecs(program, index, stage).map(({ name, windowed }) => ({
    table: name,
    changelog: changelogOf(program.plan.name, stage, name),
    // of panes the front goes as they end
    whole: !windowed,
  }));
}

/** The folder of a task's stores. */
export function storeFolder(directory: string, task: string): string {
  return join(directory, task);
}

/**
 * Opens what a task has on disk, as it was left. A stage without stores keeps only its progress, a few numbers, which
 * its compacted changelog gives back at once. It takes no disk, since to open one costs more than many a short run, and
 * no part of the bound on memory.
 */
export function openState(parts: OpenStateParts, { id, stage: name }: TaskSpec): Promise<TaskState> {
  const { backend, clock, step, telemetry, program, index } = parts;
  const stage = index.stages.get(name)!;
  const stateless = stage.stores.length === 0;
  const directory = stateless || parts.directory === undefined ? undefined : storeFolder(parts.directory, id);
  const log = telemetry.log.with({ application: program.plan.name, task: id });
  return backend.open({
    task: id as TaskId,
    directory,
    step,
    clock,
    budget: stateless ? { maxBytes: Number.POSITIVE_INFINITY, usedBytes: 0 } : parts.budget,
    tables: tableSpecs(program, index, stage),
    onQuarantine: (message) => log.warn({}, message),
  });
}
