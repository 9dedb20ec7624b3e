import type { NodeType } from '../catalog.ts';
import { tableFlow } from '../segments/make-flow.ts';
import { NAME, STREAM_IN, STREAM_OUT, text } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const opTable: NodeType = {
  name: 'op.table',
  version: 1,
  title: 'Table',
  description:
    'The newest value of each key, kept in a store: what other streams are joined with. A null value deletes.',
  inputs: STREAM_IN,
  outputs: STREAM_OUT,
  config: fields({ store: { ...(NAME as object), description: 'default: the id of the node' } }),
  behaviour: {
    kind: 'operator',
    build(parts) {
      const input = parts.inputs['in']!;
      const rows = parts.own(input.rows(text(parts.config, 'store') ?? parts.node));
      return { out: tableFlow(parts, rows, false) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'prices', type: 'map.items', data: { config: { items: 'input' } } },
        { id: 'by', type: 'op.select-key', data: { config: { key: 'value.item' } } },
        { id: 'newest', type: 'op.table' },
        { id: 'all', type: 'collect', data: { config: { newest: true } } },
      ],
      [
        { source: 'prices', target: 'by' },
        { source: 'by', target: 'newest' },
        { source: 'newest', target: 'all' },
      ],
    ),
    input: [
      { item: 'tea', price: 3 },
      { item: 'tea', price: 4 },
    ],
    output: { all: { tea: { item: 'tea', price: 4 } } },
  },
};
