import type { NodeOf, PlanNode } from './plan.ts';

/**
 * A record without a key belongs to no partition, so a repartition drops it, unless a join that has use for it lies
 * behind (a left join takes it as a record without a match). Then it goes on for all that lies behind, to any
 * partition, and what cannot use it there drops and counts it. It is a matter of the whole plan, as with Kafka
 * Streams: the way to the join may lead through further repartitions.
 */
export type NullKeys = NodeOf<'repartition'>['nullKeys'];

/** What each repartition does with records without a key, by node id. */
export function nullKeysOf(nodes: readonly PlanNode[]): ReadonlyMap<string, NullKeys> {
  const before = new Set<string>();
  const found = new Map<string, NullKeys>();
  for (const node of nodes.toReversed()) {
    if (node.kind === 'repartition') found.set(node.id, before.has(node.id) ? 'keep' : 'drop');
    if (takesNullKeys(node) || before.has(node.id)) for (const input of streamsInto(node)) before.add(input);
  }
  return found;
}

/** The inputs whose records go on through the node: a table that is looked into is not one. */
function streamsInto({ kind, inputs }: PlanNode): readonly string[] {
  switch (kind) {
    case 'joinTable':
    case 'joinGlobal':
    case 'answerForeign':
      return inputs.slice(0, 1);
    // rows of tables have keys, and so have the answers
    case 'subscribeForeign':
    case 'joinForeign':
      return [];
    default:
      return inputs;
  }
}

/** A node that makes a result of a record without a key. */
function takesNullKeys(node: PlanNode): boolean {
  switch (node.kind) {
    case 'joinTable':
    case 'joinGlobal':
    case 'lookup':
    // a row of the left table that names no foreign key is answered too
    case 'answerForeign':
      return node.how === 'left';
    // On the side that is not kept they come to the join too, and are counted there.
    case 'joinStreams':
      return node.how !== 'inner';
    default:
      return false;
  }
}
