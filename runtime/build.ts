import type { Millis } from '../core/ids.ts';
import {
  fanOut,
  fuse,
  NOWHERE,
  OPERATORS,
  type Operator,
  type OperatorFactory,
  type Push,
  type Screen,
} from '../operators/operators.ts';
import type { FailurePolicy, NodeKind, PlanNode, Stage } from '../topology/plan.ts';
import { type ContextParts, createContext } from './context.ts';
import type { Input } from './inputs.ts';
import { NodeCounts } from './node-counts.ts';

export interface BuildParts extends Omit<ContextParts, 'trace'> {
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
  readonly time: ((value: unknown, key: unknown) => Millis) | undefined;
  /** It is the only one of the stage, and no processor of the stage may set a timer. */
  readonly alone: boolean;
}

export interface BuiltStage {
  /** In topological order. */
  readonly operators: readonly Operator[];
  readonly counts: NodeCounts;
  readonly topics: readonly BuiltTopic[];
  /** Where the records of the stage's connector go. */
  readonly read: Push | undefined;
  onUndecodable(node: string): FailurePolicy;
  /**
   * The node whose code fails on the input's current record: runs it once more through a chain that notes whose code
   * runs, and undoes it. `undefined` where it cannot be told.
   */
  failingNode(input: Input): string | undefined;
}

interface Chain {
  readonly operators: readonly Operator[];
  /** Where the records of a source, a repartition before the stage, or the connector go, by node id. */
  readonly entries: ReadonlyMap<string, Push>;
  /** Of the entries that push into one filter and nowhere else. */
  readonly screens: ReadonlyMap<string, Screen>;
}

/** Builds the operators of one task, from the leaves up. */
export function buildStage(parts: BuildParts): BuiltStage {
  const { index, stage, step, program } = parts;
  const counts = new NodeCounts(index.stageNodes(stage), fuse(index.stageNodes(stage)));
  const chain = buildChain(parts, undefined, parts.counted === false ? undefined : counts);
  const entries = entryNodes(parts).filter((entry) => entry.topic !== undefined);
  const alone = entries.length === 1 && !index.stageNodes(stage).some(({ kind }) => kind === 'process');
  const topics = entries.map((entry): BuiltTopic => {
    const { node } = entry;
    const time = node.kind === 'source' && node.time !== null ? program.code.fn(node.time) : undefined;
    return {
      topic: entry.topic!,
      node: node.id,
      push: chain.entries.get(node.id)!,
      screen: chain.screens.get(node.id),
      time: time as BuiltTopic['time'],
      alone,
    };
  });
  let traced: Chain | undefined;
  let running: string | undefined;
  return {
    operators: chain.operators,
    counts,
    topics,
    read: stage.connector === null ? undefined : chain.entries.get(stage.connector),
    onUndecodable(id) {
      const node = index.nodes.get(id);
      return node?.kind === 'source' || node?.kind === 'table' ? node.onUndecodable : 'fail';
    },
    failingNode(input) {
      traced ??= buildChain(parts, (ref) => {
        running = ref;
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
      return running === undefined ? undefined : nodeOfRef(running);
    },
  };
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
  const operators: Operator[] = [];
  for (const node of nodes.toReversed()) {
    if (node.kind === 'source' || node.kind === 'read') continue;
    const next = ports.get(node.id)!.map((wires, port) => {
      const push = pushOf(wires);
      return counts === undefined ? push : counts.wrap(node, port, push);
    });
    const factory = OPERATORS[node.kind] as OperatorFactory<NodeKind>;
    const operator = factory(node, createContext({ ...parts, trace }, node), next);
    built.set(node.id, operator);
    operators.unshift(operator);
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
  return { operators, entries, screens };
}

function nodeOfRef(ref: string): string {
  return ref.slice(0, ref.lastIndexOf('/'));
}
