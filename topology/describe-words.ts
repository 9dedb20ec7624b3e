import type { Millis } from '../core/ids.ts';
import { storesOf } from './node-stores.ts';
import type { CallSettings, NodeOf, Plan, PlanNode, PlanStore, PlanTopic, Stage, WindowSpec } from './plan.ts';

/** Words that all three forms of `describe` share. */

const UNITS: readonly (readonly [string, Millis])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** In the largest unit that leaves no rest: `90 s`, `1 h`. */
export function spanWords(span: Millis): string {
  if (span === 0) return '0';
  const [unit, size] = UNITS.find(([, each]) => span % each === 0)!;
  return `${span / size} ${unit}`;
}

/** How far a record lies from another: `-5 s`, `0`, `+1 h`. */
function signedWords(span: Millis): string {
  if (span === 0) return '0';
  return span < 0 ? `-${spanWords(-span)}` : `+${spanWords(span)}`;
}

export function windowWords(window: WindowSpec): string {
  const words = kindWords(window);
  return 'graceMs' in window && window.graceMs > 0 ? `${words}, grace ${spanWords(window.graceMs)}` : words;
}

function kindWords(window: WindowSpec): string {
  switch (window.type) {
    case 'tumbling':
      return `tumbling ${spanWords(window.sizeMs)}`;
    case 'hopping':
      return `hopping ${spanWords(window.sizeMs)} every ${spanWords(window.advanceMs)}`;
    case 'sliding':
      return `sliding ${spanWords(window.differenceMs)}`;
    case 'session':
      return `session ${typeof window.gapMs === 'string' ? 'with a gap by record' : spanWords(window.gapMs)}`;
    case 'unlimited':
      return window.startMs === 0 ? 'unlimited' : `unlimited from ${window.startMs} ms on`;
    case 'count':
      return `${window.size} records${window.every === window.size ? '' : ` every ${window.every}`}`;
    case 'cumulative':
      return `cumulative ${spanWords(window.stepMs)} up to ${spanWords(window.maxMs)}`;
    case 'calendar':
      return `${window.unit} in ${window.timeZone}`;
    case 'custom':
      return `windows ${window.name}`;
  }
}

/** What a node has beside its id; empty where the id says it all. */
export function nodeWords(node: PlanNode): string {
  switch (node.kind) {
    case 'source':
    case 'repartition':
      return `topic ${node.topic}`;
    case 'to':
      return `topic ${node.topic}${node.partitioner === 'inherited' ? ', partitions kept' : ''}`;
    case 'table':
    case 'globalTable':
      return `topic ${node.topic}, store ${node.store}`;
    case 'read':
      return node.bounded ? 'connector, bounded' : 'connector';
    case 'filter':
      return node.not ? 'not' : '';
    case 'branch':
      return node.arms.map((arm) => arm.name).join(' | ');
    case 'aggregate':
      return aggregateWords(node);
    case 'deduplicate':
      return `within ${spanWords(node.withinMs)}, store ${node.store}`;
    case 'difference':
      return `${node.withinMs === null ? '' : `within ${spanWords(node.withinMs)}, `}store ${node.store}`;
    case 'toTable':
      return `store ${node.store}`;
    case 'filterTable':
      return [
        ...(node.not ? ['not'] : []),
        ...(node.deletions === 'all' ? ['all deletions'] : []),
        ...ownStoreWords(node.store),
      ].join(', ');
    case 'mapTable':
      return ownStoreWords(node.store).join(', ');
    case 'aggregateTable':
      return `${node.how}, store ${node.store}`;
    case 'joinTables':
    case 'joinForeign':
      return [node.how, ...ownStoreWords(node.store)].join(', ');
    case 'subscribeForeign':
      return [node.how, ...ownStoreWords(node.leavings ?? null)].join(', ');
    case 'answerForeign':
      return `store ${node.store}`;
    case 'joinGlobal':
      return `${node.how}, store ${node.store}`;
    case 'joinTable': {
      const grace = node.grace === null ? [] : [`grace ${spanWords(node.grace.ms)}`];
      return [node.how, ...ownStoreWords(node.store), ...grace].join(', ');
    }
    case 'joinStreams':
      return [
        `${node.how}, right from ${signedWords(-node.beforeMs)} to ${signedWords(node.afterMs)}`,
        ...(node.graceMs === 0 ? [] : [`grace ${spanWords(node.graceMs)}`]),
        `stores ${storesOf(node).join(', ')}`,
      ].join(', ');
    case 'mapAsync':
      return `${callWords(node.calls)}, store ${node.store}`;
    case 'lookup':
      return `${node.how}, ${callWords(node.calls)}, store ${node.store}`;
    case 'process':
      return node.stores.length === 0 ? '' : `stores ${node.stores.join(', ')}`;
    case 'suppress':
      return 'final results';
    case 'late':
      return 'late records';
    case 'suppressBuffer':
      return `${suppressWords(node)}, store ${node.store}`;
    default:
      return '';
  }
}

function callWords({ concurrency, order, begin }: CallSettings): string {
  return `${concurrency} at a time, order ${order}${begin === 'committed' ? ', when committed' : ''}`;
}

function ownStoreWords(store: string | null): readonly string[] {
  return store === null ? [] : [`store ${store}`];
}

function aggregateWords({ how, window, emit, store }: NodeOf<'aggregate'>): string {
  const windows = window === null ? [] : [windowWords(window)];
  return [how, ...windows, ...(emit === 'close' ? ['final results'] : []), `store ${store}`].join(', ');
}

function suppressWords(node: NodeOf<'suppressBuffer'>): string {
  const until = node.until === 'windowClose' ? 'final results' : `held for ${spanWords(node.waitMs)}`;
  const bounds = [
    ...(node.maxRecords === null ? [] : [`${node.maxRecords} records`]),
    ...(node.maxBytes === null ? [] : [`${node.maxBytes} bytes`]),
  ];
  if (bounds.length === 0) return until;
  return `${until}, at most ${bounds.join(' and ')}, ${node.whenFull === 'fail' ? 'or fails' : 'or early'}`;
}

export function topicWords(topic: PlanTopic): string {
  return `${partitionWords(topic.partitions)}, ${topic.key || '?'} -> ${topic.value || '?'}`;
}

export function storeWords(store: PlanStore): string {
  const kept = store.retentionMs === null ? '' : `, kept ${spanWords(store.retentionMs)}`;
  return `${store.kind}, ${store.key || '?'} -> ${store.value || '?'}${kept}`;
}

/** Tables that belong to no stage. */
export function globalTables(plan: Plan): readonly NodeOf<'globalTable'>[] {
  return plan.nodes.filter((node) => node.kind === 'globalTable');
}

export function stageWords(stage: Stage): string {
  if (stage.connector !== null) return 'one task per split';
  return stage.partitions === 1 ? '1 task' : `${stage.partitions} tasks`;
}

export function partitionWords(count: number): string {
  return count === 1 ? '1 partition' : `${count} partitions`;
}

/** Edges between nodes, topics and stores, as every drawing needs them. */
export interface Drawing {
  /** Within stages. */
  readonly flows: readonly (readonly [from: string, to: string])[];
  readonly reads: readonly (readonly [topic: string, node: string])[];
  readonly writes: readonly (readonly [node: string, topic: string])[];
  readonly uses: readonly (readonly [node: string, store: string])[];
}

export function drawingOf(plan: Plan): Drawing {
  const byId = new Map(plan.nodes.map((node) => [node.id, node]));
  const flows: [string, string][] = [];
  const reads: [string, string][] = [];
  const writes: [string, string][] = [];
  for (const node of plan.nodes) {
    for (const input of node.inputs) {
      const before = byId.get(input);
      if (before?.kind === 'repartition') reads.push([before.topic, node.id]);
      else flows.push([input, node.id]);
    }
    if (node.kind === 'source' || node.kind === 'table' || node.kind === 'globalTable')
      reads.push([node.topic, node.id]);
    if (node.kind === 'to' || node.kind === 'repartition') writes.push([node.id, node.topic]);
  }
  const uses = plan.stores.flatMap((store) => store.nodes.map((node) => [node, store.name] as const));
  return { flows, reads, writes, uses };
}
