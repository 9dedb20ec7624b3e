import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, VALUE_IN } from './example.ts';

export const map: NodeType = {
  name: 'map',
  version: 1,
  title: 'Map',
  description:
    'Runs its children once for each item of a list, side by side, `concurrency` at most at a time, and puts out the list ' +
    'of what they give, in the order of the items. Children read `item` and `index`. Both lists are values; for more, ' +
    'make records, and start a workflow for each by `op.workflow`.',
  inputs: VALUE_IN,
  outputs: { out: { kind: 'value', schema: { type: 'array' } } },
  config: fields(
    {
      items: { description: 'a list, or an expression for one', type: ['array', 'string'] },
      concurrency: { description: 'how many at a time', type: 'integer', minimum: 1, maximum: 10_000 },
      onItemFailure: { description: 'what becomes of an item that fails', enum: ['fail', 'null', 'omit'] },
    },
    ['items'],
  ),
  expressions: [{ pointer: '/items', expect: 'list' }],
  behaviour: { kind: 'container', how: 'map' },
  example: {
    document: exampleDocument([
      { id: 'lines', type: 'map', data: { config: { items: 'input.lines', concurrency: 4 } } },
      { id: 'price', type: 'expression', parentId: 'lines', data: { config: { value: '= item.price * item.count' } } },
    ]),
    input: {
      lines: [
        { price: 2, count: 3 },
        { price: 5, count: 1 },
      ],
    },
    output: { lines: [6, 5] },
  },
};
