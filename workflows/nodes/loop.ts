import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, VALUE_IN, VALUE_OUT } from './example.ts';

export const loop: NodeType = {
  name: 'loop',
  version: 1,
  title: 'Loop',
  description:
    'Runs its children again and again while a condition holds, judged before each iteration over `last` (what the last ' +
    'iteration gave, at first what arrived) and `iteration` (from 0). Puts out what the last iteration gave. More than ' +
    '`max` iterations are a failure.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields(
    {
      while: { description: 'an expression that is true or false', type: 'string', minLength: 1 },
      max: { description: 'iterations at most', type: 'integer', minimum: 1, maximum: 1_000_000 },
    },
    ['while'],
  ),
  expressions: [{ pointer: '/while', expect: 'bool' }],
  behaviour: { kind: 'container', how: 'loop' },
  check(node) {
    const max = node.data?.config?.['max'];
    if (max !== undefined && typeof max !== 'string') return [];
    return [
      {
        code: 'workflow.unbounded-loop',
        field: max === undefined ? '' : '/max',
        message: `the loop ${node.id} does not say how many iterations there are at most`,
        cure: 'Add "max", a number; what changes from run to run belongs in "while": iteration < input.times.',
      },
    ];
  },
  example: {
    document: exampleDocument([
      { id: 'double', type: 'loop', data: { config: { while: 'last < 100', max: 20 } } },
      { id: 'twice', type: 'expression', parentId: 'double', data: { config: { value: '= last * 2' } } },
    ]),
    input: 7,
    output: { double: 112 },
  },
};
