import { nodesWithOlds } from '../operators/operators.ts';
import type { NodeOf, Plan, PlanNode, PlanStore, PlanTopic, Stage } from '../topology/plan.ts';

/** `nf.<application>.dead-letters`: one partition, records as they came, with headers that say why and from where. */
export function deadLetterTopic(application: string): string {
  return `nf.${application}.dead-letters`;
}

/** Look-ups in a plan, made once per process. */
export class PlanIndex {
  readonly plan: Plan;
  readonly nodes = new Map<string, PlanNode>();
  readonly topics = new Map<string, PlanTopic>();
  readonly stores = new Map<string, PlanStore>();
  readonly stages = new Map<string, Stage>();
  /** Topics that a stage writes. */
  readonly written: ReadonlySet<string>;
  readonly globals: readonly NodeOf<'globalTable'>[];
  /** Nodes whose records carry the value that they replace. */
  readonly olds: ReadonlySet<string>;
  /** Nodes fed by a node, with the number of the input they take it at, in plan order. */
  readonly consumers = new Map<string, { readonly node: PlanNode; readonly input: number }[]>();

  /** Where records go that are given up. */
  readonly deadLetters: string;

  constructor(plan: Plan, deadLetters = deadLetterTopic(plan.name)) {
    this.plan = plan;
    this.deadLetters = deadLetters;
    this.globals = plan.nodes.filter((node) => node.kind === 'globalTable');
    this.olds = nodesWithOlds(plan.nodes);
    this.written = new Set(plan.stages.flatMap((stage) => stage.writes));
    for (const topic of plan.topics) this.topics.set(topic.name, topic);
    for (const store of plan.stores) this.stores.set(store.name, store);
    for (const stage of plan.stages) this.stages.set(stage.id, stage);
    for (const node of plan.nodes) {
      this.nodes.set(node.id, node);
      node.inputs.forEach((from, input) => {
        const list = this.consumers.get(from) ?? [];
        list.push({ node, input });
        this.consumers.set(from, list);
      });
    }
  }

  /** The nodes of a stage, in plan order. */
  stageNodes(stage: Stage): readonly PlanNode[] {
    return stage.nodes.map((id) => this.nodes.get(id)!);
  }

  /** Stages that write a topic. */
  writers(topic: string): readonly Stage[] {
    return this.plan.stages.filter((stage) => stage.writes.includes(topic));
  }

  /** Whether what a stage writes comes, through whatever stages, to another. */
  reaches(from: Stage, to: Stage, seen = new Set<string>()): boolean {
    if (from === to) return true;
    if (seen.has(from.id)) return false;
    seen.add(from.id);
    return this.plan.stages.some(
      (next) => next.reads.some((topic) => from.writes.includes(topic)) && this.reaches(next, to, seen),
    );
  }

  /** Stages write the topic, and none of them waits for what this one writes. */
  isFedByOthers(reader: Stage, topic: string): boolean {
    const writers = this.writers(topic);
    return writers.length > 0 && !writers.some((writer) => this.reaches(reader, writer));
  }

  /** Whether connectors that have an end are all that writes the topic. */
  isWrittenOnce(topic: string): boolean {
    const writers = this.writers(topic);
    return writers.length > 0 && writers.every((stage) => this.connector(stage)?.bounded === true);
  }

  /** Whether records of a node of the stage become rows that records of others are joined with there. */
  fillsJoinedTable(stage: Stage, node: string, seen = new Set<string>()): boolean {
    if (seen.has(node)) return false;
    seen.add(node);
    return (this.consumers.get(node) ?? []).some(({ node: next, input }) => {
      if (!stage.nodes.includes(next.id)) return false;
      return (next.kind === 'joinTable' && input === 1) || this.fillsJoinedTable(stage, next.id, seen);
    });
  }

  connector(stage: Stage): NodeOf<'read'> | undefined {
    return stage.connector === null ? undefined : (this.nodes.get(stage.connector) as NodeOf<'read'>);
  }

  /** True where every source of the plan has an end: bounded connectors, and topics that the plan writes itself. */
  get bounded(): boolean {
    return this.plan.stages.every((stage) => {
      const connector = this.connector(stage);
      return (connector === undefined || connector.bounded) && this.externalTopics(stage).length === 0;
    });
  }

  /** Topics that a stage reads and no stage writes. */
  externalTopics(stage: Stage): readonly string[] {
    return stage.reads.filter((topic) => this.writers(topic).length === 0);
  }
}

/** A task as the assignor sees it. */
export interface TaskSpec {
  readonly id: string;
  readonly stage: string;
  readonly partition: number;
  /** The split it reads, for stages fed by a connector. */
  readonly split: { readonly id: string; readonly records?: number } | undefined;
}
