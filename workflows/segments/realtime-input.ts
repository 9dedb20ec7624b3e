import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { Log } from '../../log/log.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { formatOf } from './formats.ts';
import { putRecord } from './put-record.ts';
import type { SegmentTask } from './run-segment.ts';
import { topicName } from './segments-of.ts';

type Task = Pick<SegmentTask, 'graph' | 'segment' | 'mode' | 'name' | 'input'>;

/** The topic that a realtime run reads in place of the one that the document names. */
export function inputTopics(task: Task): { readonly [name: string]: string } {
  const source = entryOf(task);
  if (source === undefined) return {};
  const { topic } = source.config as { readonly topic: string };
  return { [topic]: `${task.name}.in.${source.id}` };
}

/** Puts the input of the execution where the source of the segment reads it. */
export async function putInput(log: Log, task: Task): Promise<void> {
  const source = entryOf(task);
  if (source === undefined) return;
  const config = source.config as { readonly [name: string]: Json };
  const { input } = task;
  if (typeof input !== 'object' || input === null || Array.isArray(input) || !('value' in input)) {
    throw new FlowError(
      'workflow.invalid',
      `node ${source.id} reads the input of a realtime run as its record: { key, value, timestamp }`,
    );
  }
  const { key = null, value, timestamp = 0 } = input as { readonly [name: string]: Json };
  await putRecord(
    log,
    {
      name: inputTopics(task)[config['topic'] as string]!,
      partitions: typeof config['partitions'] === 'number' ? config['partitions'] : 1,
      key: formatOf(config['key'] ?? 'string')!,
      value: formatOf(config['value'] ?? 'json')!,
    },
    { key, value: value!, timestamp: typeof timestamp === 'number' ? timestamp : 0 },
  );
}

/** The one topic that is read as records, and that nothing in the document writes; tables are there as they are. */
function entryOf({ graph, segment, mode }: Task): GraphNode | undefined {
  if (mode !== 'realtime') return undefined;
  const nodes = segment.nodes.map((number) => graph.nodes[number]!);
  const written = nodes.filter(({ type }) => type.name === 'sink.topic').map(topicName);
  const entries = nodes.filter(
    (node) => node.type.name === 'source.topic' && !written.includes(topicName(node)) && !isTable(graph, node),
  );
  if (entries.length > 1) {
    const ids = entries.map(({ id }) => id).join(', ');
    throw new FlowError('workflow.invalid', `a realtime run has one record, and these read topics: ${ids}`);
  }
  return entries[0];
}

function isTable(graph: Graph, node: GraphNode): boolean {
  return node.outgoing.every((each) => graph.nodes[graph.edges[each]!.target]!.type.name === 'op.table');
}
