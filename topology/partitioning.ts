import type { NodeOf, PlanNode, PlanTopic } from './plan.ts';

/**
 * How the records that a node puts out lie on partitions.
 *
 * - `key`: by Kafka's default partitioner over the key.
 * - `window-key`: by that partitioner over the key inside a windowed key.
 * - `unknown`: by some partitioner that nobody declared.
 * - `stale`: the key was changed, so that equal keys may lie anywhere.
 */
export interface Partitioning {
  /** Zero where it is not known: behind a connector. */
  readonly partitions: number;
  readonly by: 'key' | 'window-key' | 'unknown' | 'stale';
}

const NOWHERE: Partitioning = { partitions: 0, by: 'stale' };

type Written = ReadonlyMap<string, Partitioning>;

/** For each node by id. A topic that the plan itself writes lies as its writers laid it. */
export function partitionings(
  nodes: readonly PlanNode[],
  topics: readonly PlanTopic[],
): ReadonlyMap<string, Partitioning> {
  let written: Written = new Map();
  // Each round settles at least one more topic of a chain; a circle of topics settles by the last round.
  for (let round = 0; ; round++) {
    const schemes = pass(nodes, topics, written);
    const next = layout(nodes, topics, schemes);
    if (round > topics.length || sameLayout(written, next)) return schemes;
    written = next;
  }
}

/** A sink keeps partitions only where the key is unchanged since the source and the counts agree. */
export function sinkPartitioner(
  node: NodeOf<'to'>,
  schemes: ReadonlyMap<string, Partitioning>,
  topics: readonly PlanTopic[],
): 'key' | 'inherited' {
  const scheme = schemes.get(node.inputs[0] ?? '') ?? NOWHERE;
  const count = topics.find((topic) => topic.name === node.topic)?.partitions;
  return scheme.by !== 'stale' && scheme.partitions === count ? 'inherited' : 'key';
}

function pass(nodes: readonly PlanNode[], topics: readonly PlanTopic[], written: Written): Map<string, Partitioning> {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  const schemes = new Map<string, Partitioning>();
  for (const node of nodes) {
    const first = schemes.get(node.inputs[0] ?? '') ?? NOWHERE;
    const scheme = node.kind === 'late' ? beforeInput(node, nodes, schemes) : undefined;
    schemes.set(node.id, scheme ?? after(node, first, schemes, byName, written));
  }
  return schemes;
}

/** Late records lie as they went into the node that dropped them. */
function beforeInput(
  late: PlanNode,
  nodes: readonly PlanNode[],
  schemes: ReadonlyMap<string, Partitioning>,
): Partitioning | undefined {
  const dropper = nodes.find(({ id }) => id === late.inputs[0]);
  return schemes.get(dropper?.inputs[0] ?? '');
}

function after(
  node: PlanNode,
  first: Partitioning,
  schemes: ReadonlyMap<string, Partitioning>,
  topics: ReadonlyMap<string, PlanTopic>,
  written: Written,
): Partitioning {
  switch (node.kind) {
    case 'source':
    case 'table': {
      const topic = topics.get(node.topic);
      if (topic === undefined) return NOWHERE;
      return written.get(node.topic) ?? { partitions: topic.partitions, by: topic.partitioner };
    }
    case 'repartition':
      return { partitions: topics.get(node.topic)?.partitions ?? 0, by: 'key' };
    case 'read':
    case 'globalTable':
      return NOWHERE;
    case 'map':
    case 'flatMap':
    case 'selectKey':
    case 'groupTable':
    case 'subscribeForeign':
    case 'answerForeign':
      return { partitions: first.partitions, by: 'stale' };
    case 'process':
      return node.rekeys ? { partitions: first.partitions, by: 'stale' } : first;
    case 'aggregate':
      return node.window !== null && first.by === 'key' ? { partitions: first.partitions, by: 'window-key' } : first;
    case 'merge':
      return node.inputs.map((input) => schemes.get(input) ?? NOWHERE).reduce(merged);
    default:
      return first;
  }
}

/** Of streams with different counts the larger remains, since that is how many tasks there are. */
function merged(a: Partitioning, b: Partitioning): Partitioning {
  const partitions = Math.max(a.partitions, b.partitions);
  if (a.by === 'stale' || b.by === 'stale' || a.partitions !== b.partitions) return { partitions, by: 'stale' };
  return a.by === b.by ? a : { partitions, by: 'unknown' };
}

function layout(
  nodes: readonly PlanNode[],
  topics: readonly PlanTopic[],
  schemes: ReadonlyMap<string, Partitioning>,
): Written {
  const written = new Map<string, Partitioning>();
  for (const node of nodes) {
    if (node.kind !== 'to') continue;
    const topic = topics.find((each) => each.name === node.topic);
    if (topic === undefined) continue;
    const inherited = sinkPartitioner(node, schemes, topics) === 'inherited';
    const by = inherited ? (schemes.get(node.inputs[0]!)?.by ?? 'unknown') : 'key';
    const before = written.get(topic.name)?.by ?? topic.partitioner;
    const first = !written.has(topic.name) && topic.partitioner === 'key';
    written.set(topic.name, { partitions: topic.partitions, by: first || before === by ? by : 'unknown' });
  }
  return written;
}

function sameLayout(a: Written, b: Written): boolean {
  if (a.size !== b.size) return false;
  for (const [topic, scheme] of b) if (a.get(topic)?.by !== scheme.by) return false;
  return true;
}
