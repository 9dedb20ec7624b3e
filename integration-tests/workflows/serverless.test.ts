import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { foreignCases } from './foreign-case.ts';
import { checkRun, DIFFERENCES, type Words } from './foreign-check.ts';
import { openForeignRunner } from './run-foreign.ts';

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

const runner = await openForeignRunner();
after(() => runner.close());

for (const [name, one] of foreignCases('serverless')) {
  for (const run of one.runs) {
    test(`serverless workflow, ${name}: ${run.name}`, { timeout: 20_000 }, async () => {
      assert.equal(one.source.repository, 'serverlessworkflow/specification');
      checkRun(words, one, run, await runner.run(one, run, 'function'));
    });
    // what runs beside a task that fails is closed or has ended, as it comes
    if (run.theirs.status !== 'completed' || !one.document.nodes.some(({ type }) => type === 'function')) continue;
    test(`serverless workflow, ${name}: ${run.name}, by tasks`, { timeout: 20_000 }, async () => {
      checkRun(words, one, run, await runner.run(one, run, 'task'));
    });
  }
}

test('every difference that is listed is one that a case shows', () => {
  const cases = ['argo', 'serverless'].flatMap((folder) => [...foreignCases(folder).values()]);
  const shown = new Set(cases.flatMap(({ runs }) => runs.map(({ differs }) => differs?.why)));
  for (const [name, { isShown }] of DIFFERENCES) assert.equal(shown.has(name), isShown, name);
});
