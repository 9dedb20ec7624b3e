import type { NodeType } from '../catalog.ts';
import { exampleDocument, fields, SPAN, VALUE_IN, VALUE_OUT } from './example.ts';

export const delay: NodeType = {
  name: 'delay',
  version: 1,
  title: 'Delay',
  description:
    'Waits for a span, or until a time (RFC 3339, or milliseconds since the epoch), then puts out what arrived. It holds ' +
    'neither a slot nor memory, and survives restarts.',
  inputs: VALUE_IN,
  outputs: VALUE_OUT,
  config: {
    ...(fields({
      for: SPAN,
      until: { description: 'a time as RFC 3339 or in milliseconds, or an expression', type: ['string', 'number'] },
    }) as object),
    oneOf: [{ required: ['for'] }, { required: ['until'] }],
    description: 'either for or until',
  },
  behaviour: { kind: 'delay' },
  example: {
    document: exampleDocument([{ id: 'later', type: 'delay', data: { config: { for: '24h' } } }]),
    input: { order: 7 },
    output: { later: { order: 7 } },
  },
};
