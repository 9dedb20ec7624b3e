import { generator } from '../../connectors/connectors.ts';
import type { Json } from '../../core/ids.ts';
import type { NodeType } from '../catalog.ts';
import { DATASET_OUT } from './data-plane.ts';
import { exampleDocument, fields, VALUE_IN } from './example.ts';
import { READ_EXPRESSIONS, READ_FIELDS, readFlow } from './read-source.ts';

export const mapItems: NodeType = {
  name: 'map.items',
  version: 1,
  title: 'Items',
  description:
    'Makes records of the items of a list, a value of the control plane: what follows takes them one by one, however many ' +
    'there are. Without items: of the list that arrives.',
  inputs: VALUE_IN,
  outputs: DATASET_OUT,
  config: fields({
    items: { description: 'a list, or an expression for one', type: ['array', 'string'] },
    ...READ_FIELDS,
  }),
  expressions: [{ pointer: '/items', expect: 'list' }, ...READ_EXPRESSIONS],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      const items: Json = config['items'] ?? parts.values['in'] ?? [];
      if (!Array.isArray(items)) throw parts.fail('gets no list to take items from');
      const source = generator<Json>({ count: items.length, make: (index) => items[index] as Json });
      return { out: readFlow(parts, source) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'lines', type: 'map.items', data: { config: { items: 'input.lines' } } },
        { id: 'prices', type: 'op.map', data: { config: { value: 'value.price * value.count' } } },
        { id: 'all', type: 'collect' },
      ],
      [
        { source: 'lines', target: 'prices' },
        { source: 'prices', target: 'all' },
      ],
    ),
    input: {
      lines: [
        { price: 2, count: 3 },
        { price: 5, count: 1 },
      ],
    },
    output: { all: [6, 5] },
  },
};
