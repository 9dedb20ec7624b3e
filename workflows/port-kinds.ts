import type { PortKind } from './document.ts';

/** What a port takes besides its own kind. */
const TAKES: { readonly [kind in PortKind]: readonly PortKind[] } = {
  // a failure is a value, and so is what a signal brings
  value: ['error', 'signal'],
  // what is bounded may go where no end is needed
  stream: ['dataset'],
  dataset: [],
  signal: ['value'],
  error: [],
};

const CURES: { readonly [pair: string]: string } = {
  'value dataset': 'Put a node between that makes records of a value, such as map.items.',
  'value stream': 'Put a node between that makes records of a value, such as map.items.',
  'dataset value': 'Put collect between, which makes a value of a dataset.',
  'stream value': 'A stream has no end: put a window or a reduce between.',
  'stream dataset': 'A stream has no end: put a window or a reduce between.',
};

/** Undefined where an edge may lead from one kind to the other, else what to do. */
export function kindFault(from: PortKind, to: PortKind): string | undefined {
  if (from === to || TAKES[to].includes(from)) return undefined;
  return CURES[`${from} ${to}`] ?? `Connect a port of kind ${to}.`;
}
