import type { Log, TopicSettings } from '../log/log.ts';
import type { Program } from '../topology/topology.ts';
import { inspectTopics } from './deploy.ts';
import { listTasks } from './list-tasks.ts';
import { PlanIndex } from './stage.ts';

export interface ApplicationFindings {
  /** Every topic that the application needs, with its settings; `undefined` where it is not there yet. */
  readonly topics: ReadonlyMap<string, Required<TopicSettings> | undefined>;
  /** Why it cannot run. */
  readonly faults: readonly string[];
  /** It can run, and may lose records that somebody expects. */
  readonly warnings: readonly string[];
}

/** Compares the topics with what an application needs, as a run does when it starts; changes nothing. */
export async function inspectApplication(program: Program, log: Log): Promise<ApplicationFindings> {
  const index = new PlanIndex(program.plan);
  const specs = await listTasks(program, index);
  const { needed, found, faults, warnings } = await inspectTopics(log.admin, index, specs);
  return {
    topics: new Map(needed.map(({ name }) => [name, found.get(name)?.settings])),
    faults: faults.map(({ message }) => message),
    warnings: warnings.map(({ message }) => message),
  };
}
