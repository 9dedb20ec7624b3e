import { fault, type PlanFault } from './faults.ts';
import { endsBefore } from './leads-to.ts';
import type { Plan, Stage } from './plan.ts';
import { isEngineProgram } from './rule-names.ts';
import { splitStages } from './split.ts';

/** The stages follow from the nodes; none reads what comes of its own writing; connectors stand alone. */
export function stageFaults(plan: Plan): readonly PlanFault[] {
  const stages = splitStages(plan);
  const found = stages.flatMap((stage) => connectorFaults(plan, stage));
  if (!isEngineProgram(plan)) found.push(...cycleFaults(plan, stages));
  // Compared field by field in a fixed order, so that a plan that went through other JSON tools is still equal.
  if (JSON.stringify(stages.map(fields)) !== JSON.stringify(plan.stages.map(fields))) {
    found.push(fault('stages', null, 'the stages do not follow from the nodes; build the plan anew'));
  }
  return found;
}

function fields(stage: Stage): readonly unknown[] {
  return [stage.id, stage.nodes, stage.partitions, stage.reads, stage.writes, stage.stores, stage.connector];
}

function connectorFaults(plan: Plan, stage: Stage): readonly PlanFault[] {
  const { connector } = stage;
  if (connector === null) return [];
  const inside = new Set(stage.nodes);
  const reads = plan.nodes.filter((node) => node.kind === 'read' && inside.has(node.id));
  const cure = 'call to(topic) or repartition(...) on it first';
  const other = reads[1]?.id ?? stage.reads[0];
  const found: PlanFault[] = [];
  if (other !== undefined) {
    const message = `${connector} is mixed with ${other}, and a connector has splits of its own; ${cure}`;
    found.push(fault('connector', connector, message));
  }
  const keeper = plan.nodes.find((node) => node.kind === 'process' && inside.has(node.id) && node.stores.length > 0);
  if (keeper !== undefined) {
    const message = `${keeper.id} keeps state on the splits of ${connector}, which may change from run to run; ${cure}`;
    found.push(fault('connector', keeper.id, message));
  }
  return found;
}

/**
 * A walk from each stage along the topics it writes; told once for each circle, by its first stage. Stages may be bound
 * in a circle in which no record turns (a stream joined with an aggregate of its own, a join by foreign key). A bounded
 * run of such a plan ends topic by topic; where that cannot be, the plan is refused if all its sources have an end.
 */
function cycleFaults(plan: Plan, stages: readonly Stage[]): readonly PlanFault[] {
  const found: PlanFault[] = [];
  const endless = isBounded(plan, stages) ? withoutEnd(plan, stages) : [];
  const readers = (topic: string) => stages.filter((stage) => stage.reads.includes(topic));
  const told = new Set<string>();
  for (const start of stages) {
    if (told.has(start.id)) continue;
    const path = pathBack(start, readers);
    if (path === undefined) continue;
    for (const step of path) told.add(step.stage.id);
    const words = path.map((step) => step.topic).join(' -> ');
    const turns = recordsTurn(plan, start);
    if (!turns && !path.some((step) => endless.includes(step.topic))) continue;
    const message = turns
      ? `records run in a circle through ${words}; end it at a topic that another application reads`
      : `stage ${start.id} would read what it writes, through ${words}, and a bounded run of it would have no end, since a processor, whose timers may fire to the last, stands before that topic; repartition what comes of the processor, so that it has a stage of its own`;
    found.push(fault('cycle', start.nodes[0] ?? null, message));
  }
  return found;
}

/** Written topics of which nobody could say where they end: each waits for itself. */
function withoutEnd(plan: Plan, stages: readonly Stage[]): readonly string[] {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const topicOf = (id: string): readonly string[] => {
    const node = byId.get(id);
    return node !== undefined && 'topic' in node ? [node.topic] : [];
  };
  const waitsFor = new Map<string, readonly string[]>();
  for (const stage of stages) {
    const early = new Map(endsBefore({ ...plan, stages }, stage).map((each) => [each.topic, each.entries]));
    for (const topic of stage.writes) {
      const entries = early.get(topic);
      const reads = entries === undefined ? stage.reads : [...entries].flatMap(topicOf);
      waitsFor.set(topic, [...(waitsFor.get(topic) ?? []), ...reads]);
    }
  }
  for (let before = -1; before !== waitsFor.size; ) {
    before = waitsFor.size;
    for (const [topic, reads] of waitsFor) if (!reads.some((each) => waitsFor.has(each))) waitsFor.delete(topic);
  }
  return [...waitsFor.keys()];
}

/** Every source has an end: none is a topic that the plan does not write itself. */
function isBounded(plan: Plan, stages: readonly Stage[]): boolean {
  const written = new Set(stages.flatMap((stage) => stage.writes));
  const reads = plan.nodes.filter((node) => node.kind === 'read');
  const external = stages.some((stage) => stage.reads.some((topic) => !written.has(topic)));
  return !external && reads.every((node) => node.bounded);
}

interface Hop {
  readonly topic: string;
  readonly stage: Stage;
}

function pathBack(start: Stage, readers: (topic: string) => readonly Stage[]): readonly Hop[] | undefined {
  const seen = new Set<string>();
  const visit = (stage: Stage): readonly Hop[] | undefined => {
    for (const topic of stage.writes) {
      for (const next of readers(topic)) {
        if (next.id === start.id) return [{ topic, stage: next }];
        if (seen.has(next.id)) continue;
        seen.add(next.id);
        const rest = visit(next);
        if (rest !== undefined) return [{ topic, stage: next }, ...rest];
      }
    }
    return undefined;
  };
  return visit(start);
}

/** Whether a record of the stage can come back as a record; else only the stages are bound to each other. */
function recordsTurn(plan: Plan, stage: Stage): boolean {
  const after = new Map<string, string[]>();
  const link = (from: string, to: string) => after.set(from, [...(after.get(from) ?? []), to]);
  for (const node of plan.nodes) {
    for (const input of node.inputs) link(input, node.id);
    if (node.kind === 'to') link(node.id, `topic ${node.topic}`);
    if (node.kind === 'source' || node.kind === 'table') link(`topic ${node.topic}`, node.id);
  }
  return stage.nodes.some((start) => {
    const seen = new Set<string>();
    const open = [...(after.get(start) ?? [])];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === start) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      open.push(...(after.get(at) ?? []));
    }
    return false;
  });
}
