import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { foreignCases } from './foreign-case.ts';
import { checkRun, type Words } from './foreign-check.ts';
import { openForeignRunner } from './run-foreign.ts';

export interface Foreigners {
  /** The folder of their cases. */
  readonly folder: string;
  readonly title: string;
  readonly repository: string;
  /** What they call an execution that ended well. */
  readonly completed: string;
  readonly words: Words;
}

/** A test for each run of each case, and by tasks where that shows the same. */
export async function testForeign({ folder, title, repository, completed, words }: Foreigners): Promise<void> {
  const runner = await openForeignRunner();
  after(() => runner.close());

  for (const [name, one] of foreignCases(folder)) {
    for (const run of one.runs) {
      test(`${title}, ${name}: ${run.name}`, { timeout: 600_000 }, async () => {
        assert.equal(one.source.repository, repository);
        checkRun(words, one, run, await runner.run(one, run, 'function'));
      });
      // what runs beside a task that fails is closed or has ended, as it comes
      if (run.theirs.status !== completed || !one.document.nodes.some(({ type }) => type === 'function')) continue;
      test(`${title}, ${name}: ${run.name}, by tasks`, { timeout: 600_000 }, async () => {
        checkRun(words, one, run, await runner.run(one, run, 'task'));
      });
    }
  }
}
