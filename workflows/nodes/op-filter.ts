import type { NodeType } from '../catalog.ts';
import { recordsFlow, tableFlow } from '../segments/make-flow.ts';
import { EXPRESSION, RECORD, STREAM_IN, STREAM_OUT, text } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const opFilter: NodeType = {
  name: 'op.filter',
  version: 1,
  title: 'Filter',
  description: 'The records for which an expression holds, such as `value.total > 100`.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields({ where: EXPRESSION }, ['where']),
  expressions: [{ pointer: '/where', expect: 'bool', records: RECORD }],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const input = parts.inputs['in']!;
      const keep = parts.expr(text(parts.config, 'where')!);
      if (input.isTable) return { out: tableFlow(parts, parts.own(input.rows(parts.node).filter(keep)), input.made) };
      return { out: recordsFlow(parts, parts.own(input.records().filter(keep)), input.made) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'paid', type: 'op.filter', data: { config: { where: "value.status == 'paid'" } } },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'orders', target: 'paid' },
        { source: 'paid', target: 'all' },
      ],
    ),
    input: [
      { n: 1, status: 'paid' },
      { n: 2, status: 'open' },
    ],
    output: { all: [{ n: 1, status: 'paid' }] },
  },
};
