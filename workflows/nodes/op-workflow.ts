import type { Json } from '../../core/ids.ts';
import { toPlain } from '../../schemas/schemas.ts';
import type { NodeType } from '../catalog.ts';
import type { SegmentParts } from '../segments/flows.ts';
import { recordsFlow } from '../segments/make-flow.ts';
import { EXPRESSION, RECORD, SPAN, STREAM_IN, STREAM_OUT, span, text, whole } from './data-plane.ts';
import { exampleDocument, fields, TEXT } from './example.ts';

const CONCURRENCY = 32;
/** How long a call is waited for at most; a shorter time ends the execution itself. */
const LONGEST_MS = 20 * 86_400_000;

export const opWorkflow: NodeType = {
  name: 'op.workflow',
  version: 1,
  title: 'Workflow for each record',
  description:
    'Starts another workflow for each record, as an execution of its own, whose answer is the new value; the key stays. Of ' +
    'a task (one for each partition) `concurrency` records are in flight (32), and nothing is kept of the others, however ' +
    'many they are. Its input is the value, or what `input` gives. Answers leave in the order of the records of a key, of ' +
    'a partition, or as they come (`order`). Where an execution fails, is cancelled or takes longer than `timeout`, its ' +
    'record does: it ends the segment, or becomes a dead letter (`onError` of the policy). A cancel or a pause reaches ' +
    'those that are in flight. Without `version`: the newest when it starts.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields(
    {
      workflow: TEXT,
      version: TEXT,
      input: EXPRESSION,
      concurrency: { description: 'how many at a time', type: 'integer', minimum: 1, maximum: 1000 },
      order: { enum: ['key', 'partition', 'none'] },
      timeout: SPAN,
    },
    ['workflow'],
  ),
  expressions: [{ pointer: '/input', records: RECORD }],
  behaviour: {
    kind: 'operator',
    starts: true,
    build(parts) {
      const { config, node } = parts;
      const input = parts.inputs['in']!;
      const inputOf = argument(parts);
      const workflow = text(config, 'workflow')!;
      const version = text(config, 'version');
      const timeoutMs = Math.min(LONGEST_MS, span(parts, 'timeout', LONGEST_MS));
      const records = input.records().mapAsync({
        name: node,
        concurrency: whole(config, 'concurrency', CONCURRENCY),
        order: text(config, 'order') ?? 'key',
        begin: 'committed',
        timeout: LONGEST_MS,
        ...(input.made ? { input: parts.format(undefined) } : {}),
        fn: (value: unknown, key: unknown, { record, signal }: Call) =>
          parts.startForRecord({ record, workflow, version, input: inputOf(value, key), timeoutMs }, signal),
      });
      return { out: recordsFlow(parts, parts.own(records), true) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input' } } },
        {
          id: 'invoices',
          type: 'op.workflow',
          data: { config: { workflow: 'twice', input: 'value.total', order: 'partition', timeout: '1m' } },
        },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'orders', target: 'invoices' },
        { source: 'invoices', target: 'all' },
      ],
    ),
    others: [
      exampleDocument([{ id: 'twice', type: 'expression', data: { config: { value: '= input * 2' } } }], [], {
        id: 'twice',
        name: 'Twice',
      }),
    ],
    input: [{ total: 21 }, { total: 4 }],
    output: { all: [{ twice: 42 }, { twice: 8 }] },
  },
};

interface Call {
  readonly record: string;
  readonly signal: AbortSignal;
}

function argument({ config, expr }: SegmentParts): (value: unknown, key: unknown) => Json {
  const source = text(config, 'input');
  if (source === undefined) return (value) => toPlain(value) as Json;
  const evaluate = expr(source) as (value: unknown, key: unknown) => unknown;
  return (value, key) => toPlain(evaluate(value, key)) as Json;
}
