import type { Json } from '../../../core/ids.ts';
import type { Behaviour } from '../../catalog.ts';

/** Types of nodes for tests: sums are right or wrong to the last digit, whatever happened on the way. */
export const SMALL_TYPES: { readonly [name: string]: Behaviour } = {
  add: {
    kind: 'inline',
    run: (config, inputs) => ({ out: total(inputs['in'] ?? 0) + (config as { readonly n: number }).n }),
  },
  task: {
    kind: 'task',
    run: async (config, inputs) => ({ out: total(inputs['in'] ?? 0) + (config as { readonly n: number }).n }),
  },
  delay: { kind: 'delay' },
  signal: { kind: 'signal' },
};

function total(value: Json): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each: Json) => sum + total(each), 0);
  return typeof value === 'number' ? value : 0;
}

/** One, four beside each other, join, three beside each other, join: each adds its number and one. */
export function tenNodes(type = 'add', id = 'ten'): Json {
  const names = ['a', 'b1', 'b2', 'b3', 'b4', 'c', 'd1', 'd2', 'd3', 'e'];
  const links = [
    'a b1',
    'a b2',
    'a b3',
    'a b4',
    'b1 c',
    'b2 c',
    'b3 c',
    'b4 c',
    'c d1',
    'c d2',
    'c d3',
    'd1 e',
    'd2 e',
    'd3 e',
  ];
  return document(
    id,
    names.map((name, n) => [name, type, { n }]),
    links,
  );
}

export function document(
  id: string,
  nodes: readonly (readonly [id: string, type: string, config: Json])[],
  links: readonly string[],
): Json {
  return {
    apiVersion: 'nodeflow/v1',
    id,
    name: id,
    version: '1.0.0',
    nodes: nodes.map(([name, type, config]) => ({ id: name, type, data: { config } })),
    edges: links.map((link) => {
      const [source, target] = link.split(' ') as [string, string];
      return { source, target };
    }),
  } as unknown as Json;
}

/** What {@link tenNodes} answers. */
export function tenNodesResult(input: number): Json {
  const a = input;
  const c = [1, 2, 3, 4].reduce((sum, n) => sum + a + n, 0) + 5;
  return { e: [6, 7, 8].reduce((sum, n) => sum + c + n, 0) + 9 };
}
