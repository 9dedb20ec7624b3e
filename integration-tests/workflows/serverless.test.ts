import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignCases } from './foreign-case.ts';
import { DIFFERENCES, type Words } from './foreign-check.ts';
import { testForeign } from './foreign-suite.ts';

const STATUSES: { readonly [status: string]: string } = {
  completed: 'COMPLETED',
  faulted: 'FAILED',
  cancelled: 'CANCELLED',
};
// an execution answers by name; what a workflow there answers stands under `answer`
const words: Words = {
  status: (text) => STATUSES[text]!,
  node: (text) => [STATUSES[text]!],
  output: (value) => ({ answer: value! }),
};

await testForeign({
  ...{ folder: 'serverless', title: 'serverless workflow', repository: 'serverlessworkflow/specification' },
  ...{ completed: 'completed', words },
});

test('every difference that is listed is one that a case shows', () => {
  const cases = ['argo', 'serverless'].flatMap((folder) => [...foreignCases(folder).values()]);
  const shown = new Set(cases.flatMap(({ runs }) => runs.map(({ differs }) => differs?.why)));
  for (const [name, { isShown }] of DIFFERENCES) assert.equal(shown.has(name), isShown, name);
});
