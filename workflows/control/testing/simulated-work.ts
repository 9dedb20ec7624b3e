import type { Json } from '../../../core/ids.ts';
import { familyDocument, streamDocument } from './simulated-stream.ts';
import { added, document, numberType, tenNodes, tenNodesResult } from './small-documents.ts';

/** Workflows of the simulation. */
export interface Workload {
  readonly workflow: string;
  readonly document: Json;
  readonly signals: boolean;
  /** Of a streaming one: version 2.0.0. */
  readonly next?: Json;
  result(input: number): Json;
}

const chain = document(
  'chain',
  [
    ['a', 'flaky', { n: 1 }],
    ['b', 'delay', { for: '40ms' }],
    ['c', 'wait.signal', { name: 'go' }],
    ['d', 'flaky', { n: 5 }],
  ],
  ['a b', 'b c', 'c d'],
);

/** A segment, whose runs are made up here, and what follows from a node within it and from the whole. */
const rows = document(
  'rows',
  [
    ['items', 'map.items', { items: '= [input]' }],
    ['some', 'op.filter', { where: 'value >= 0' }],
    ['all', 'collect', {}],
    ['sum', 'flaky', { n: 1 }],
  ],
  ['items some', 'some all', 'all sum'],
);

export const WORKLOADS: readonly Workload[] = [
  { workflow: 'rows', document: rows, signals: false, result: (input) => ({ sum: input + 1 }) },
  { workflow: 'ten', document: tenNodes(), signals: false, result: tenNodesResult },
  { workflow: 'tasks', document: tenNodes('flaky', 'tasks'), signals: false, result: tenNodesResult },
  { workflow: 'chain', document: chain, signals: true, result: (input) => ({ d: input * 1000 + 5 }) },
  {
    ...{ workflow: 'stream', document: streamDocument('1.0.0'), signals: false, next: streamDocument('2.0.0') },
    result: (input) => ({ first: input, sum: input + 1 }),
  },
  {
    ...{ workflow: 'family', document: familyDocument('1.0.0'), signals: false, next: familyDocument('2.0.0') },
    result: (input) => ({ run: { first: input, sum: input + 1 } }),
  },
];

/** A task that fails some attempts, by the names of the call alone. */
export const FLAKY = numberType('flaky', {
  kind: 'task',
  async run(config, inputs, { attempt, random }) {
    for (let turns = Math.floor(random() * 3); turns > 0; turns--) await Promise.resolve();
    if (attempt < 3 && random() < 0.3) throw new Error('not yet');
    return added(config, inputs);
  },
});
