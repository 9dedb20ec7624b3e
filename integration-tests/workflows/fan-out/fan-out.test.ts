import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fanOutTrial } from './trial.ts';

test('a fan-out on disk gives each record one execution, and holds no more at its end than at its beginning', {
  timeout: 600_000,
}, async (t) => {
  const report = await fanOutTrial({ records: 4000, concurrency: 32, stateBytes: 4 * 1024 * 1024 });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual(report.faults, []);
  const [first, last] = [report.held[1]!, report.held.at(-1)!];
  // what 4,000 executions would take of 2 KB each
  assert.ok(last.heap - first.heap < 8, `${first.heap} MB, then ${last.heap} MB`);
});
