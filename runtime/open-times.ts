import type { KeptNumbers } from '../checkpoints/checkpoints.ts';
import type { Millis } from '../core/ids.ts';
import type { Step } from '../core/step.ts';
import type { NodeOf, PlanNode, Stage } from '../topology/plan.ts';
import type { ScanRequests } from './scan-requests.ts';
import type { PlanIndex } from './stage.ts';
import { type ClockSource, StageClock } from './stage-clock.ts';
import type { StageTimes } from './stage-times.ts';

export interface OpenClockParts {
  readonly index: PlanIndex;
  readonly times: StageTimes;
  readonly step: Step;
  readonly numbers: KeptNumbers;
  readonly scans: ScanRequests;
  readonly run: number;
  readonly idleMs: Millis;
  readonly lookMs: Millis;
  monotonic(): number;
}

/** The clock of a task, where anything that it reads tells it a time. */
export function openClock(parts: OpenClockParts, stage: Stage, partition: number): StageClock | undefined {
  const { index, times } = parts;
  const reads = stage.reads.filter((topic) => partition < index.topics.get(topic)!.partitions);
  const upstream = new Map<string, readonly string[]>();
  for (const topic of reads) {
    const tasks = times.upstream(stage, topic);
    if (tasks.length > 0) upstream.set(topic, tasks);
  }
  const own = reads.filter((topic) => !upstream.has(topic) && index.topics.get(topic)?.internal !== true);
  const sources = times.hasClock(stage) ? own.map((topic) => sourceOf(index.stageNodes(stage), topic)) : [];
  if (upstream.size + sources.length === 0) return undefined;
  return new StageClock({ ...parts, upstream, sources });
}

function sourceOf(nodes: readonly PlanNode[], topic: string): ClockSource {
  const node = nodes.find((each): each is NodeOf<'source'> => each.kind === 'source' && each.topic === topic);
  const watermark = node?.timing?.watermark ?? undefined;
  return {
    topic,
    maxOutOfOrdernessMs: watermark?.maxOutOfOrdernessMs ?? 0,
    idleMs: watermark?.idleMs ?? undefined,
  };
}
