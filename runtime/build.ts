import {
  behindFirst,
  fanOut,
  fuse,
  type KeptNumber,
  latePort,
  NOWHERE,
  OPERATORS,
  type Operator,
  type OperatorFactory,
  type Push,
  type Screen,
} from '../operators/operators.ts';
import {
  type AbsurdTimePolicy,
  endsBefore,
  type FailurePolicy,
  functionOf,
  type NodeKind,
  type NodeOf,
  type PlanNode,
  type SourceTiming,
  type Stage,
} from '../topology/plan.ts';
import { type ContextParts, createContext } from './context.ts';
import type { Input } from './inputs.ts';
import { NodeCounts } from './node-counts.ts';
import { RecordTime } from './record-time.ts';
import type { TimedNode } from './stage-clock.ts';

export interface BuildParts extends Omit<ContextParts, 'trace' | 'late'> {
  readonly stage: Stage;
  /** Count the records that go into each node. Default true. */
  readonly counted?: boolean;
}

/** A topic that a stage reads, and where its records go. */
export interface BuiltTopic {
  readonly topic: string;
  readonly node: string;
  readonly push: Push;
  /** That of the filter which alone takes its records, where there is such. */
  readonly screen: Screen | undefined;
  readonly time: RecordTime | undefined;
  readonly align: SourceTiming['align'];
  /** It is the only one of the stage, its records move no clock of the stage, and no processor of the stage may set a timer. */
  readonly alone: boolean;
}

/** A topic that ends before the stage does: when these inputs have ended, and these operators are told so. */
export interface EarlyEnd {
  readonly topic: string;
  /** By their nodes. */
  readonly inputs: ReadonlySet<string>;
  /** In topological order. */
  readonly operators: readonly Operator[];
}

export interface BuiltStage {
  /** In topological order. */
  readonly operators: readonly Operator[];
  /** The same, what lies behind another before it. */
  readonly starts: readonly Operator[];
  /** The same in topological order, and how they hang together. */
  readonly nodes: readonly TimedNode[];
  readonly counts: NodeCounts;
  readonly early: readonly EarlyEnd[];
  readonly topics: readonly BuiltTopic[];
  /** Where the records of the stage's connector go. */
  readonly read: Push | undefined;
  onUndecodable(node: string): FailurePolicy;
  onAbsurdTime(node: string): AbsurdTimePolicy;
  /**
   * The node whose code fails on the input's current record: runs it once more through a chain that notes whose code
   * runs, and undoes it. `undefined` where it cannot be told.
   */
  failingNode(input: Input): string | undefined;
}

interface Chain {
  readonly nodes: readonly TimedNode[];
  /** Where the records of a source, a repartition before the stage, or the connector go, by node id. */
  readonly entries: ReadonlyMap<string, Push>;
  /** Of the entries that push into one filter and nowhere else. */
  readonly screens: ReadonlyMap<string, Screen>;
}

/** Builds the operators of one task, from the leaves up. */
export function buildStage(parts: BuildParts): BuiltStage {
  const { index, stage, step } = parts;
  const counts = new NodeCounts(index.stageNodes(stage), fuse(index.stageNodes(stage)));
  const chain = buildChain(parts, undefined, parts.counted === false ? undefined : counts);
  const entries = entryNodes(parts).filter((entry) => entry.topic !== undefined);
  const { clock } = parts;
  const timers = index.stageNodes(stage).some(({ kind }) => kind === 'process');
  const topics = entries.map((entry): BuiltTopic => {
    const { node } = entry;
    const time = node.kind === 'source' ? recordTime(parts, node) : undefined;
    const topic = entry.topic!;
    const entered = time === undefined ? chain.entries.get(node.id)! : time.follow(chain.entries.get(node.id)!);
    const push = clock?.follow(topic, entered) ?? entered;
    const follows = clock?.isSource(topic) === true;
    return {
      topic,
      node: node.id,
      push,
      screen: follows ? undefined : chain.screens.get(node.id),
      time,
      align: (node.kind === 'source' ? node.timing?.align : undefined) ?? null,
      alone: entries.length === 1 && !timers && !follows,
    };
  });
  const operatorOf = new Map(chain.nodes.map(({ id, operator }) => [id, operator]));
  let traced: Chain | undefined;
  let running: string | undefined;
  return {
    operators: chain.nodes.map(({ operator }) => operator),
    starts: behindFirst(index.stageNodes(stage)).flatMap(({ id }) => operatorOf.get(id) ?? []),
    nodes: chain.nodes,
    counts,
    early: endsBefore(index.plan, stage).map(({ topic, entries: inputs, nodes }) => ({
      ...{ topic, inputs },
      operators: chain.nodes.filter(({ id }) => nodes.has(id)).map(({ operator }) => operator),
    })),
    topics,
    read: stage.connector === null ? undefined : chain.entries.get(stage.connector),
    onUndecodable(id) {
      const node = index.nodes.get(id);
      return node?.kind === 'source' || node?.kind === 'table' ? node.onUndecodable : 'fail';
    },
    onAbsurdTime(id) {
      const node = index.nodes.get(id);
      return (node?.kind === 'source' ? node.timing?.onAbsurdTime : undefined) ?? 'skip';
    },
    failingNode(input) {
      traced ??= buildChain(parts, (node) => {
        running = node;
      });
      running = undefined;
      step.begin();
      try {
        input.load();
        traced.entries.get(input.node)?.(input.record);
      } catch {
        // The failure looked into; `running` names whose code it was.
      }
      step.rollback();
      parts.scans.forgetFirst();
      return running;
    },
  };
}

/** The time of a partition that bounds nothing. */
const UNBOUNDED: KeptNumber = { value: -1, set() {} };

function recordTime(parts: BuildParts, node: NodeOf<'source'>): RecordTime | undefined {
  const { time, timing, topic } = node;
  const bounded = timing !== undefined && (timing.maxAheadMs !== null || timing.onAbsurdTime === 'clamp');
  if (time === null && !bounded) return undefined;
  return new RecordTime({
    time:
      time === null
        ? undefined
        : functionOf<(value: unknown, key: unknown) => number>(parts.program, node, 'time', time),
    timing,
    latest: bounded ? parts.numbers.number(`partition-time/${topic}`, -1) : UNBOUNDED,
    now: () => parts.now(),
    clamped: () => parts.drops.clamped(node.id),
  });
}

/** The nodes by which records come into a stage, each with its topic where it has one. */
function entryNodes(parts: BuildParts): readonly { readonly node: PlanNode; readonly topic: string | undefined }[] {
  const { index, stage } = parts;
  const entries: { node: PlanNode; topic: string | undefined }[] = [];
  for (const node of index.stageNodes(stage)) {
    if (node.kind === 'source' || node.kind === 'table') entries.push({ node, topic: node.topic });
    else if (node.kind === 'read') entries.push({ node, topic: undefined });
  }
  for (const topic of stage.reads) {
    if (entries.some((entry) => entry.topic === topic)) continue;
    const node = index.plan.nodes.find((each) => each.kind === 'repartition' && each.topic === topic);
    if (node !== undefined) entries.push({ node, topic });
  }
  return entries;
}

function buildChain(parts: BuildParts, trace: ContextParts['trace'], counts?: NodeCounts): Chain {
  const nodes = parts.index.stageNodes(parts.stage);
  const ports = fuse(nodes);
  const built = new Map<string, Operator>();
  const pushOf = (wires: readonly { readonly node: PlanNode; readonly input: number }[]) =>
    fanOut(wires.map(({ node, input }) => built.get(node.id)?.inputs[input] ?? NOWHERE));
  for (const node of nodes.toReversed()) {
    if (node.kind === 'source' || node.kind === 'read' || node.kind === 'globalTable') continue;
    const next = ports.get(node.id)!.map((wires, port) => {
      const push = pushOf(wires);
      return counts === undefined ? push : counts.wrap(node, port, push);
    });
    const factory = OPERATORS[node.kind] as OperatorFactory<NodeKind>;
    const operator = factory(node, createContext({ ...parts, trace, late: next[latePort(node)] }, node), next);
    built.set(node.id, operator);
  }
  const entries = new Map<string, Push>();
  const screens = new Map<string, Screen>();
  for (const { node } of entryNodes(parts)) {
    if (node.kind === 'table') entries.set(node.id, built.get(node.id)!.inputs[0]!);
    else if (node.kind === 'repartition') {
      const wires = (parts.index.consumers.get(node.id) ?? []).filter((wire) => built.has(wire.node.id));
      entries.set(node.id, pushOf(wires));
    } else {
      const wires = ports.get(node.id)!.flat();
      entries.set(node.id, pushOf(wires));
      const screen = wires.length === 1 ? built.get(wires[0]!.node.id)?.screen : undefined;
      if (screen !== undefined) screens.set(node.id, screen);
    }
  }
  return { nodes: timedNodes(nodes, built), entries, screens };
}

function timedNodes(nodes: readonly PlanNode[], built: ReadonlyMap<string, Operator>): readonly TimedNode[] {
  const timed = nodes.filter(({ id }) => built.has(id));
  const places = new Map(timed.map(({ id }, place) => [id, place]));
  return timed.map(({ id, inputs }) => {
    return { id, operator: built.get(id)!, inputs: inputs.flatMap((input) => places.get(input) ?? []) };
  });
}
