import type { Json } from '../../../core/ids.ts';
import type { Behaviour, Inputs, NodeType } from '../../catalog.ts';
import { exampleDocument, VALUE_IN, VALUE_OUT } from '../../nodes/example.ts';

/** Adds the number of its configuration to all that arrives: right or wrong to the last digit, whatever happened. */
export function added(config: Json, inputs: Inputs): { readonly out: Json } {
  return { out: total(inputs['in'] ?? 0) + (config as { readonly n: number }).n };
}

function total(value: Json): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, each: Json) => sum + total(each), 0);
}

export function numberType(name: string, behaviour: Behaviour): NodeType {
  return {
    ...{ name, version: 1, title: name, description: 'Adds its number to what arrives.', behaviour },
    ...{ inputs: VALUE_IN, outputs: VALUE_OUT },
    config: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false },
    example: {
      document: exampleDocument([{ id: 'sum', type: name, data: { config: { n: 1 } } }]),
      input: 1,
      output: { sum: 2 },
    },
  };
}

export const ADD = numberType('add', { kind: 'inline', run: added });
export const ADD_TASK = numberType('add-task', { kind: 'task', run: async (config, inputs) => added(config, inputs) });

/** One, four beside each other, join, three beside each other, join: each adds its number. */
export function tenNodes(type = 'add', id = 'ten'): Json {
  const names = ['a', 'b1', 'b2', 'b3', 'b4', 'c', 'd1', 'd2', 'd3', 'e'];
  const fork = ['a b1', 'a b2', 'a b3', 'a b4', 'b1 c', 'b2 c', 'b3 c', 'b4 c'];
  return document(
    id,
    names.map((name, n) => [name, type, { n }]),
    [...fork, 'c d1', 'c d2', 'c d3', 'd1 e', 'd2 e', 'd3 e'],
  );
}

/** What {@link tenNodes} answers. */
export function tenNodesResult(input: number): Json {
  const c = [1, 2, 3, 4].reduce((sum, n) => sum + input + n, 0) + 5;
  return { e: [6, 7, 8].reduce((sum, n) => sum + c + n, 0) + 9 };
}

/** Nodes one behind the other, as `links` says: `a b` leads from a to b. Failed attempts are made again. */
export function document(
  id: string,
  nodes: readonly (readonly [id: string, type: string, config: Json])[],
  links: readonly string[],
  policies: { readonly [id: string]: Json } = {},
): Json {
  return {
    ...{ apiVersion: 'nodeflow/v1', id, name: id, version: '1.0.0' },
    policy: {
      retry: { maxAttempts: 5, initial: '10ms', max: '50ms', on: ['TRANSIENT', 'SYSTEM', 'USER', 'PERMANENT'] },
    },
    nodes: nodes.map(([name, type, config]) => {
      const policy = policies[name];
      return { id: name, type, data: policy === undefined ? { config } : { config, policy } };
    }),
    edges: links.map((link) => {
      const [source, target] = link.split(' ') as [string, string];
      return { source, target };
    }),
  } as unknown as Json;
}
