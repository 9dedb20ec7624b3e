import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, SPAN, TEXT, VALUE_IN } from './example.ts';

export const waitHuman: NodeType = {
  name: 'wait.human',
  version: 1,
  title: 'Approval',
  description:
    'Waits until somebody approves or rejects, and puts out the value of the answer at that port. It holds neither a slot ' +
    'nor memory. `policy.timeout.run` bounds the wait; after `escalateAfter` it is told again, as escalated.',
  inputs: VALUE_IN,
  outputs: { approved: { kind: 'value' }, rejected: { kind: 'value' } },
  config: fields(
    {
      title: TEXT,
      description: { type: 'string' },
      assignees: { type: ['array', 'string'], items: TEXT },
      form: { description: 'a JSON Schema of the value that the answer brings', type: ['object', 'string'] },
      escalateAfter: SPAN,
    },
    ['title'],
  ),
  behaviour: { kind: 'approval' },
  example: {
    document: exampleDocument(
      [
        { id: 'approve', type: 'wait.human', data: { config: { title: '= "Order of " + input.customer' } } },
        { id: 'ship', type: 'expression', data: { config: { value: '= "shipped, " + value.note' } } },
        { id: 'refuse', type: 'expression', data: { config: { value: 'refused' } } },
      ],
      [
        { source: 'approve', sourceHandle: 'approved', target: 'ship' },
        { source: 'approve', sourceHandle: 'rejected', target: 'refuse' },
      ],
    ),
    input: { customer: 'ann' },
    meanwhile: [{ approve: 'approved', value: { note: 'by express' } }],
    output: { ship: 'shipped, by express' },
  },
};
