import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Json } from '../core/ids.ts';
import type { At, Cause, EventType, FeedFilter, GraphNames, NamedEvent, StepEvent, StepRecord } from './events.ts';
import { referenceText } from './reference.ts';

/** A sample of an output travels with its event; what is larger is cut off and told so. */
export const MAX_SAMPLE_BYTES = 1024;

/** The events of the specification that a step record stands for, in order. */
export function namedEvents(record: StepRecord, names: GraphNames): readonly NamedEvent[] {
  const found: NamedEvent[] = [];
  for (const event of record.events) {
    const named = viewOf(record, event, names);
    if (named === undefined) continue;
    const at = 'node' in event ? (event as At) : undefined;
    // an inline node that succeeds passes through RUNNING within one step event
    const stages = isInline(event)
      ? [
          { ...named.data, to: 'RUNNING' },
          { ...named.data, from: 'RUNNING' },
        ]
      : [named.data];
    for (const data of stages) {
      found.push({
        type: named.type,
        workflow: names.workflow,
        execution: record.execution,
        seq: record.seq,
        index: found.length,
        at: record.at,
        node: at === undefined ? null : names.id(at.node),
        nodeType: at === undefined ? null : names.type(at.node),
        iteration: at?.iteration ?? '',
        data,
      });
    }
  }
  return found;
}

function isInline(event: StepEvent): boolean {
  return event.type === 'node' && event.cause === 'inline' && event.from === 'PENDING' && event.to === 'COMPLETED';
}

/** Whether a step may hold an event that the filter takes: asked before anything of it is turned into words. */
export function mayTake(filter: FeedFilter, record: StepRecord, names: () => GraphNames): boolean {
  if (filter.execution !== undefined && filter.execution !== record.execution) return false;
  if (filter.workflow !== undefined && filter.workflow !== names().workflow) return false;
  if (filter.types === undefined && filter.node === undefined) return true;
  return record.events.some((event) => {
    const type = TYPES[event.type];
    if (type === undefined) return false;
    if (filter.types !== undefined && !filter.types.includes(type)) return false;
    return filter.node === undefined || ('node' in event && names().id((event as At).node) === filter.node);
  });
}

export function takes(filter: FeedFilter, event: NamedEvent): boolean {
  return (
    (filter.execution === undefined || filter.execution === event.execution) &&
    (filter.workflow === undefined || filter.workflow === event.workflow) &&
    (filter.node === undefined || filter.node === event.node) &&
    (filter.types === undefined || filter.types.includes(event.type))
  );
}

/** The named event that each kind of step event shows as; the others are the engine's own. */
const TYPES: { readonly [Type in StepEvent['type']]?: EventType } = {
  started: 'EXECUTION_STARTED',
  ended: 'EXECUTION_COMPLETED',
  node: 'NODE_STATE_CHANGED',
  output: 'DATA_AVAILABLE',
  'attempt-failed': 'ERROR_OCCURRED',
  'dead-letter': 'ERROR_OCCURRED',
  rejected: 'ERROR_OCCURRED',
};

interface View {
  readonly type: EventType;
  readonly data: { readonly [name: string]: Json };
}

function viewOf(record: StepRecord, event: StepEvent, names: GraphNames): View | undefined {
  const type = TYPES[event.type];
  return type === undefined ? undefined : { type, data: dataOf(record, event, names) };
}

function dataOf(record: StepRecord, event: StepEvent, names: GraphNames): { readonly [name: string]: Json } {
  const { cause, definition } = record;
  switch (event.type) {
    case 'started':
      return {
        version: event.version,
        definition,
        inputHash: createHash('sha256').update(canonicalJson(event.input)).digest('hex'),
        mode: event.mode,
        user: event.user,
        priority: event.priority,
        deadline: event.deadline,
        labels: event.labels,
        parent: event.parent === null ? null : event.parent.execution,
        forkOf: event.forkOf,
        cause: causeText(cause),
      };
    case 'ended': {
      const bytes = Buffer.byteLength(JSON.stringify(event.output));
      const { sample: output, cut } = sampleOf(event.output, bytes);
      const { execution, seq } = record;
      const reference = referenceText({ execution, seq, at: null });
      const { status, degraded, error, counts } = event;
      return { status, degraded, counters: counts ?? null, reference, bytes, output, cut, error: plain(error) };
    }
    case 'node':
      return { from: event.from, to: event.to, attempt: event.attempt, cause: event.cause, trigger: causeText(cause) };
    case 'output': {
      const { node, iteration, port, bytes, value } = event;
      const { execution, seq } = record;
      const reference = referenceText({ execution, seq, at: { node: names.id(node), iteration, port } });
      return { port, reference, bytes, schema: names.schema(node, port), ...sampleOf(value, bytes) };
    }
    case 'attempt-failed':
      return { attempt: event.attempt, error: plain(event.error), decision: event.decision, retryAt: event.retryAt };
    case 'dead-letter':
      return { deadLetter: event.id, reason: event.reason };
    case 'rejected':
      return { code: event.code, why: event.why, trigger: causeText(cause) };
    default:
      return {};
  }
}

function causeText(cause: Cause): string {
  if (cause.kind === 'command') return cause.by === null ? cause.type : `${cause.type} by ${cause.by}`;
  return cause.kind === 'timer' ? `timer ${cause.timer}` : 'continued';
}

/** The value where it is small as JSON, else how that begins. */
function sampleOf(value: Json, bytes: number): { readonly sample: Json; readonly cut: boolean } {
  if (bytes <= MAX_SAMPLE_BYTES) return { sample: value, cut: false };
  const text = JSON.stringify(value);
  // cut at a place that leaves whole characters; JSON's escapes make a text of it at most twice as long
  return { sample: text.slice(0, MAX_SAMPLE_BYTES / 4).replace(/[\ud800-\udbff]$/, ''), cut: true };
}

function plain(value: unknown): Json {
  return (value ?? null) as Json;
}
