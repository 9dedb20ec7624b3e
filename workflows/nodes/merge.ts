import type { Json } from '../../core/ids.ts';
import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, TEMPLATE, VALUE_IN, VALUE_OUT } from './example.ts';

export const merge: NodeType = {
  name: 'merge',
  version: 1,
  title: 'Merge',
  description:
    'Brings branches together by the join of its policy: all, any, all-done, atLeast or when. Puts out what arrived, or ' +
    'what `value` makes of it: with any what came first, otherwise an object by the ids of the nodes it came from.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields({ value: TEMPLATE }),
  behaviour: {
    kind: 'inline',
    run: (config, inputs) => {
      const { value } = config as { readonly value?: Json };
      return { out: value === undefined ? (inputs['in'] ?? null) : value };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'net', type: 'expression', data: { config: { value: '= input.price' } } },
        { id: 'tax', type: 'expression', data: { config: { value: '= input.price * 0.25' } } },
        { id: 'gross', type: 'merge', data: { config: { value: '= value.net + value.tax' }, policy: { join: 'all' } } },
      ],
      [
        { source: 'net', target: 'gross' },
        { source: 'tax', target: 'gross' },
      ],
    ),
    input: { price: 8 },
    output: { gross: 10 },
  },
};
