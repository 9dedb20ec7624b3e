import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_WORKFLOW_SETTINGS } from '../open-workflows.ts';
import { memoryHost, runDocument } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import { SEGMENT_COMMIT_MS } from './run-segment.ts';

test('S1.3.a: in realtime mode nothing waits longer than 10 ms for its commit, in neither plane', async () => {
  assert.ok(DEFAULT_WORKFLOW_SETTINGS.commitIntervalMs <= 10);
  assert.ok(SEGMENT_COMMIT_MS.realtime <= 10);
  const host = memoryHost({ settings: { idleMs: 20 } });
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['all', 'collect'],
    ],
    ['orders > all'],
  );
  const { outputs } = await runDocument(host, document, { mode: 'realtime', input: { key: 'a', value: 7 } });
  assert.deepEqual(outputs['all.out'], [7]);
  await host.log.close();
});
