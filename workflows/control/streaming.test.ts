import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { WorkflowDocument } from '../document.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { memory, open, put, served, topicsOf } from './streams.fixture.ts';

/** Windows of ten seconds, each given when it closes; what comes of them is more than the segment. */
const WINDOWS: WorkflowDocument = {
  ...documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders', partitions: 2 }],
      ['spans', 'op.window.tumbling', { size: '10s' }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value.total' }],
      ['all', 'collect'],
      ['count', 'expression', { value: '= size(value)' }],
    ],
    ['orders > spans', 'spans > sums', 'sums > all', 'all > count'],
  ),
  mode: 'streaming',
};

test('an end lets windows close and values be collected; the execution completes', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await put(log, 1, 2, 11);
    await workflows.publish(WINDOWS);
    const { execution } = await workflows.start('job', null);
    while ((await topicsOf(log, execution)).length === 0) await systemClock.sleep(5);
    const first = await workflows.end(execution, { id: 'e', by: 'ann' });
    assert.deepEqual((await workflows.end(execution, { id: 'e' })).seq, 0);
    await workflows.end(execution);
    const view = await workflows.ended(execution);
    assert.deepEqual([view.status, view.output], ['COMPLETED', { count: 3 }], JSON.stringify(view.error));
    const { events } = (await workflows.history(execution))[first.seq - 1]!;
    assert.deepEqual(events[0], { type: 'ending', by: 'ann' });
  }),
);

test('what is not streaming, paused, or has ended is not told to end', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await put(log, 1);
    await workflows.publish(WINDOWS);
    const batch = await workflows.start('job', null, { mode: 'batch' });
    await workflows.ended(batch.execution);
    await assert.rejects(workflows.end(batch.execution), { code: 'workflow.ended' });
    await assert.rejects(workflows.end('nobody'), { code: 'workflow.unknown-execution' });
    const { execution } = await workflows.start('job', null);
    await workflows.pause(execution);
    await assert.rejects(workflows.end(execution), { code: 'workflow.paused' });
    await workflows.cancel(execution);
    await workflows.ended(execution);
    await workflows.publish({ ...documentOf([['go', 'wait.signal', { name: 'go' }]], []), id: 'waits' });
    const waits = await workflows.start('waits', null);
    await assert.rejects(workflows.end(waits.execution), { code: 'workflow.not-streaming' });
  }),
);

test('an end outlasts the engine, whenever that is stopped', { timeout: 240_000 }, async () => {
  const log = memory();
  await put(log, 1, 2, 11);
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-ending-'));
  let workflows = await open(log, directory);
  await workflows.publish(WINDOWS);
  const executions: string[] = [];
  for (const wait of [0, 5, 20, 40, 80, 160]) {
    const { execution } = await workflows.start('job', null);
    executions.push(execution);
    while ((await topicsOf(log, execution)).length === 0) await systemClock.sleep(5);
    await workflows.end(execution);
    await systemClock.sleep(wait);
    await workflows.drain();
    workflows = await open(log, directory);
  }
  const outputs: Json[] = [];
  for (const each of executions) outputs.push((await workflows.ended(each)).output);
  assert.deepEqual(
    outputs,
    executions.map(() => ({ count: 3 })),
  );
  await workflows.drain();
  rmSync(directory, { recursive: true, force: true });
});
