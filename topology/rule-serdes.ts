import { fault, type PlanFault } from './faults.ts';
import { storesOf } from './node-stores.ts';
import type { NodeOf, Plan, PlanNode, PlanStore, PlanTopic } from './plan.ts';
import { windowFacts } from './window-facts.ts';

/** Every topic and store has formats, and its users agree on them. */
export function serdeFaults(plan: Plan): readonly PlanFault[] {
  const found: PlanFault[] = [];
  for (const topic of plan.topics) {
    for (const side of ['key', 'value'] as const) {
      if (topic[side] === '') found.push(fault('serde', null, missing(topicWords(topic), side)));
    }
  }
  for (const store of plan.stores) {
    for (const side of ['key', 'value'] as const) {
      if (store[side] === '')
        found.push(
          fault(
            'serde',
            store.nodes[0] ?? null,
            missing(`store ${store.name}`, side, store.kind === 'calls' && side === 'value' ? 'input' : side),
          ),
        );
    }
  }
  const topics = new Map(plan.topics.map((topic) => [topic.name, topic]));
  const stores = new Map(plan.stores.map((store) => [store.name, store]));
  for (const node of plan.nodes) {
    const differs = topicMismatch(node, topics) ?? storeMismatch(node, stores);
    if (differs !== undefined) found.push(fault('serde', node.id, `${node.id} ${differs}`));
  }
  return found;
}

function missing(what: string, side: 'key' | 'value', option: string = side): string {
  return `${what} has no ${side} serde, since its ${side}s are made by a function; give the call that makes it \`${option}\``;
}

function topicWords(topic: PlanTopic): string {
  return topic.internal ? `repartition topic ${topic.name}` : `topic ${topic.name}`;
}

/** Nodes at topics have the formats of the topic. Two declarations of a topic are another rule's. */
function topicMismatch(node: PlanNode, topics: ReadonlyMap<string, PlanTopic>): string | undefined {
  if (!('topic' in node)) return undefined;
  const topic = topics.get(node.topic);
  if (topic === undefined) return undefined;
  const side = (['key', 'value'] as const).find((each) => (node[each] ?? '') !== topic[each]);
  if (side === undefined) return undefined;
  return `has ${side}s as ${node[side] ?? 'nothing'}, its topic ${topic.name} as ${topic[side]}; declare the topic once`;
}

function storeMismatch(node: PlanNode, stores: ReadonlyMap<string, PlanStore>): string | undefined {
  if (node.kind === 'joinStreams') {
    const kindOf = (name: string) => (name === node.pendingStore ? 'pending' : 'join');
    const other = storesOf(node)
      .map((name) => stores.get(name))
      .find((store) => store !== undefined && store.kind !== kindOf(store.name));
    return other && `needs a ${kindOf(other.name)} store, and ${other.name} is a ${other.kind} store`;
  }
  if (node.kind !== 'aggregate') return undefined;
  const store = stores.get(node.store);
  if (store === undefined) return undefined;
  const kind = windowKind(node);
  return store.kind === kind ? undefined : `needs a ${kind} store, and ${store.name} is a ${store.kind} store`;
}

function windowKind(node: NodeOf<'aggregate'>): PlanStore['kind'] {
  return node.window !== null && windowFacts(node.window).kept === 'panes' ? 'window' : 'key-value';
}
