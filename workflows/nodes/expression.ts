import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, TEMPLATE, VALUE_IN, VALUE_OUT } from './example.ts';

export const expression: NodeType = {
  name: 'expression',
  version: 1,
  title: 'Expression',
  description:
    'Makes a value: JSON in which strings that begin with = are expressions over what arrives and the input.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields({ value: TEMPLATE }, ['value']),
  behaviour: {
    kind: 'inline',
    run: (config) => ({ out: (config as { readonly value: never }).value }),
  },
  example: {
    document: exampleDocument([
      {
        id: 'total',
        type: 'expression',
        data: { config: { value: { customer: '= input.customer', total: '= input.price * input.count' } } },
      },
    ]),
    input: { customer: 'ann', price: 4, count: 3 },
    output: { total: { customer: 'ann', total: 12 } },
  },
};
