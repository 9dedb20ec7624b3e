import type { Words } from './foreign-check.ts';
import { testForeign } from './foreign-suite.ts';

const NODES: { readonly [phase: string]: readonly string[] } = {
  Succeeded: ['COMPLETED'],
  Failed: ['FAILED'],
  Errored: ['FAILED'],
  Skipped: ['CANCELLED branch-not-taken'],
  Omitted: ['CANCELLED branch-not-taken', 'CANCELLED upstream-failed'],
  // there is no such node in their execution
  Absent: ['CANCELLED not-selected'],
};
const STATUSES: { readonly [phase: string]: string } = { Succeeded: 'COMPLETED', Failed: 'FAILED', Errored: 'FAILED' };
const words: Words = { status: (text) => STATUSES[text]!, node: (text) => NODES[text]!, output: (value) => value };

await testForeign({
  ...{ folder: 'argo', title: 'argo', repository: 'argoproj/argo-workflows' },
  ...{ completed: 'Succeeded', words },
});
