import type { Millis } from '../core/ids.ts';
import { fault, type PlanFault } from './faults.ts';
import type { Plan, PlanTopic } from './plan.ts';
import { longestMs } from './window-facts.ts';

/** What the log says of a topic; the settings of a description in `log/` fit. */
export interface TopicFacts {
  readonly partitions: number;
  readonly cleanup?: 'none' | 'delete' | 'compact' | 'compact,delete';
  /** -1: kept for ever. */
  readonly retentionMs?: Millis;
}

export interface TopicFindings {
  /** The plan cannot run. */
  readonly faults: readonly PlanFault[];
  /** It can run, and may lose records that somebody expects. */
  readonly warnings: readonly PlanFault[];
}

/**
 * Compares a plan with the topics as they are. Topics that the plan writes may be missing, since the engine makes
 * them; topics that it only reads may not.
 */
export function checkTopics(plan: Plan, topics: ReadonlyMap<string, TopicFacts>): TopicFindings {
  const faults: PlanFault[] = [];
  const warnings: PlanFault[] = [];
  const written = new Set(plan.stages.flatMap((stage) => stage.writes));
  for (const topic of plan.topics) {
    const found = topics.get(topic.name);
    if (found === undefined) {
      if (written.has(topic.name)) continue;
      const command = `nodeflow topics create ${topic.name} --partitions ${topic.partitions}`;
      const cure = `create it with ${topic.partitions} partitions (${command}), or correct its name in the topology`;
      faults.push(fault('topic-missing', readerOf(plan, topic.name), `topic ${topic.name} does not exist; ${cure}`));
      continue;
    }
    if (found.partitions !== topic.partitions) {
      const cure = `change the topology, or write the records to a new topic of ${topic.partitions}`;
      const message = `topic ${topic.name} has ${found.partitions} partitions where the plan says ${topic.partitions}; ${cure}`;
      faults.push(fault('topic-partitions', readerOf(plan, topic.name), message));
    }
    const lossy = settingsProblem(plan, topic, found);
    if (lossy !== undefined) {
      const list = topic.internal ? faults : warnings;
      list.push(fault('topic-settings', readerOf(plan, topic.name), `topic ${topic.name} ${lossy}`));
    }
  }
  return { faults, warnings };
}

function readerOf(plan: Plan, topic: string): string | null {
  return plan.nodes.find((node) => 'topic' in node && node.topic === topic)?.id ?? null;
}

function settingsProblem(plan: Plan, topic: PlanTopic, found: TopicFacts): string | undefined {
  const { cleanup = 'none', retentionMs = -1 } = found;
  const compacted = cleanup.startsWith('compact');
  if (topic.internal) {
    if (compacted) return 'is compacted, and records in it would vanish before they are read; set its cleanup to none';
    if (retentionMs >= 0) return `deletes records after ${retentionMs} ms, read or not; set its retention to -1`;
    return undefined;
  }
  const table = plan.nodes.find(
    (node) => (node.kind === 'table' || node.kind === 'globalTable') && node.topic === topic.name,
  );
  if (table !== undefined && retentionMs >= 0 && cleanup !== 'compact') {
    return `feeds a table and deletes records after ${retentionMs} ms, so that a rebuilt table lacks older rows; set its cleanup to compact`;
  }
  const reads = plan.nodes.some((node) => node.kind === 'source' && node.topic === topic.name);
  const longest = longestWindow(plan, topic.name);
  if (reads && retentionMs >= 0 && retentionMs < longest) {
    return `deletes records after ${retentionMs} ms, sooner than a window over them closes; set its retention to at least ${longest}`;
  }
  return undefined;
}

/** Size plus grace of the longest window in the stages that read a topic. */
function longestWindow(plan: Plan, topic: string): Millis {
  let longest = 0;
  const inside = new Set(plan.stages.flatMap((stage) => (stage.reads.includes(topic) ? stage.nodes : [])));
  for (const node of plan.nodes) {
    if (node.kind !== 'aggregate' || node.window === null || !inside.has(node.id)) continue;
    longest = Math.max(longest, longestMs(node.window));
  }
  return longest;
}
