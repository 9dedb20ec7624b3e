import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, VALUE_IN, VALUE_OUT } from './example.ts';

const IDS = { type: 'array', items: { type: 'string' }, uniqueItems: true } as const;

export const tryNode: NodeType = {
  name: 'try',
  version: 1,
  title: 'Try, catch, finally',
  description:
    'Runs its children; where one fails, those that `catch` names, which read `error`; and in the end, whatever came, ' +
    'those that `finally` names. Puts out what the children gave, or those of `catch`.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields({ catch: IDS, finally: IDS }),
  behaviour: { kind: 'container', how: 'try' },
  example: {
    document: exampleDocument([
      { id: 'guard', type: 'try', data: { config: { catch: ['sorry'] } } },
      { id: 'read', type: 'expression', parentId: 'guard', data: { config: { value: '= input.order.total' } } },
      { id: 'sorry', type: 'expression', parentId: 'guard', data: { config: { value: '= error.code' } } },
    ]),
    input: {},
    output: { guard: 'expression.failed' },
  },
};
