import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { foreignCases } from './foreign-case.ts';
import { checkRun, type Words } from './foreign-check.ts';
import { openForeignRunner } from './run-foreign.ts';

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

const runner = await openForeignRunner();
after(() => runner.close());

for (const [name, one] of foreignCases('argo')) {
  for (const run of one.runs) {
    test(`argo, ${name}: ${run.name}`, { timeout: 20_000 }, async () => {
      assert.equal(one.source.repository, 'argoproj/argo-workflows');
      checkRun(words, one, run, await runner.run(one, run, 'function'));
    });
    // what runs beside a task that fails is closed or has ended, as it comes
    if (run.theirs.status !== 'Succeeded' || !one.document.nodes.some(({ type }) => type === 'function')) continue;
    test(`argo, ${name}: ${run.name}, by tasks`, { timeout: 20_000 }, async () => {
      checkRun(words, one, run, await runner.run(one, run, 'task'));
    });
  }
}
