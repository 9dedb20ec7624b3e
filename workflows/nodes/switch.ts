import type { Json } from '../../core/ids.ts';
import type { NodeType } from '../catalog.ts';
import type { NodeSpec, Ports } from '../document.ts';
import { exampleDocument, fields, VALUE_IN } from './example.ts';

const CASE = {
  type: 'object',
  required: ['port', 'when'],
  additionalProperties: false,
  properties: {
    port: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$', not: { enum: ['error', 'else'] } },
    when: { type: 'string', minLength: 1, description: 'an expression that is true or false' },
  },
} as const;

/** The ports that the cases of a document name, as far as they are written as they should be. */
function casePorts(node: NodeSpec): readonly string[] {
  const cases = node.data?.config?.['cases'];
  if (!Array.isArray(cases)) return [];
  return cases
    .map((one: Json) => (one as { readonly port?: unknown } | null)?.port)
    .filter((port): port is string => typeof port === 'string' && port !== 'error');
}

export const switchNode: NodeType = {
  name: 'switch',
  version: 1,
  title: 'Switch',
  description:
    'Sends what arrives on at the port of the first case that holds, or at `else` where none does. The other ports are ' +
    'skipped, and what hangs on them alone does not run.',
  inputs: VALUE_IN,
  outputs: { else: { kind: 'value' } },
  portsOf(node) {
    const outputs: Ports = Object.fromEntries([...casePorts(node), 'else'].map((port) => [port, { kind: 'value' }]));
    return { inputs: VALUE_IN, outputs };
  },
  config: fields({ cases: { type: 'array', minItems: 1, maxItems: 256, items: CASE } }, ['cases']),
  expressions: [{ pointer: '/cases/*/when', expect: 'bool' }],
  behaviour: { kind: 'switch' },
  check(node) {
    const ports = casePorts(node);
    return [...new Set(ports.filter((port, i) => ports.indexOf(port) < i))].map((port) => ({
      code: 'workflow.duplicate-id',
      message: `two cases of ${node.id} have the port ${port}`,
      cure: 'Join their conditions by ||, or give one another port.',
    }));
  },
  example: {
    document: exampleDocument(
      [
        { id: 'size', type: 'switch', data: { config: { cases: [{ port: 'large', when: 'value.total > 100' }] } } },
        { id: 'ask', type: 'expression', data: { config: { value: 'somebody looks at it' } } },
        { id: 'ship', type: 'expression', data: { config: { value: 'it goes out' } } },
      ],
      [
        { source: 'size', sourceHandle: 'large', target: 'ask' },
        { source: 'size', sourceHandle: 'else', target: 'ship' },
      ],
    ),
    input: { total: 250 },
    output: { ask: 'somebody looks at it' },
  },
};
