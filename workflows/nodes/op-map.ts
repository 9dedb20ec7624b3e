import type { NodeType } from '../catalog.ts';
import { recordsFlow, tableFlow } from '../segments/make-flow.ts';
import { EXPRESSION, RECORD, STREAM_IN, STREAM_OUT, text } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const opMap: NodeType = {
  name: 'op.map',
  version: 1,
  title: 'Map',
  description:
    'A new value for each record, such as `value.price * value.count` or {"total": value.total}. The key stays; ' +
    'op.select-key changes it.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields({ value: EXPRESSION }, ['value']),
  expressions: [{ pointer: '/value', records: RECORD }],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const input = parts.inputs['in']!;
      const fn = parts.expr(text(parts.config, 'value')!);
      if (input.isTable) return { out: tableFlow(parts, parts.own(input.rows(parts.node).mapValues(fn)), true) };
      return { out: recordsFlow(parts, parts.own(input.records().mapValues(fn)), true) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'numbers', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'double', type: 'op.map', data: { config: { value: 'value * 2' } } },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'numbers', target: 'double' },
        { source: 'double', target: 'all' },
      ],
    ),
    input: [1, 2],
    output: { all: [2, 4] },
  },
};
