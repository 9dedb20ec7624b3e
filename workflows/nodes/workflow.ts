import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, TEMPLATE, TEXT, VALUE_IN, VALUE_OUT } from './example.ts';

export const workflowNode: NodeType = {
  name: 'workflow',
  version: 1,
  title: 'Sub-workflow',
  description:
    'Starts another workflow as an execution of its own, waits for its end, and puts out what it answers. Its failure is ' +
    'the failure of the node; a cancel reaches it. Without `version`: the newest when it starts. Up to 32 may run within ' +
    'each other, and 4,096 at a time within one.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields({ workflow: TEXT, version: TEXT, input: TEMPLATE }, ['workflow']),
  behaviour: { kind: 'child' },
  example: {
    document: exampleDocument([
      { id: 'invoice', type: 'workflow', data: { config: { workflow: 'twice', input: '= input.total' } } },
    ]),
    others: [
      exampleDocument([{ id: 'twice', type: 'expression', data: { config: { value: '= input * 2' } } }], [], {
        id: 'twice',
        name: 'Twice',
      }),
    ],
    input: { total: 21 },
    output: { invoice: { twice: 42 } },
  },
};
