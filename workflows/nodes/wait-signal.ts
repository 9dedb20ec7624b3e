import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, TEXT, VALUE_IN, VALUE_OUT } from './example.ts';

export const waitSignal: NodeType = {
  name: 'wait.signal',
  version: 1,
  title: 'Wait for a signal',
  description:
    'Waits until the execution is sent a signal of this name, and puts out what it brings. One that came before is kept ' +
    'and taken at once. `policy.timeout.run` bounds the wait.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: fields({ name: TEXT }, ['name']),
  behaviour: { kind: 'signal' },
  example: {
    document: exampleDocument([{ id: 'payment', type: 'wait.signal', data: { config: { name: 'paid' } } }]),
    input: null,
    meanwhile: [{ signal: 'paid', payload: { amount: 12 } }],
    output: { payment: { amount: 12 } },
  },
};
