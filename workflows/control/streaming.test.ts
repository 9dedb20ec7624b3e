import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import type { WorkflowDocument } from '../document.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import type { Workflows } from '../workflows.ts';

function memory(): Log {
  return createMemoryLog({ clock: systemClock, random: seededRandom(1) });
}

async function open(log: Log, directory?: string): Promise<Workflows> {
  const settings = { partitions: 2, segments: { settings: { commitIntervalMs: 5 } } };
  const host = { log, state: createStateBackend({}), directory, clock: systemClock, telemetry: silentTelemetry() };
  return openWorkflows({ ...host, language: createLanguage(), settings });
}

const ORDERS = { name: 'orders', partitions: 1, key: string(), value: json() };

function put(log: Log, ...totals: readonly number[]): Promise<void> {
  return putRecords(
    log,
    ORDERS,
    totals.map((total) => ({ key: 'ann', value: { total }, timestamp: total * 1000 })),
  );
}

/** Two windows of ten seconds, each given when it closes; what comes of them is more than the segment. */
const WINDOWS: WorkflowDocument = {
  ...documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['spans', 'op.window.tumbling', { size: '10s' }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value.total' }],
      ['all', 'collect'],
      ['count', 'expression', { value: '= size(value)' }],
    ],
    ['orders > spans', 'spans > sums', 'sums > all', 'all > count'],
  ),
  mode: 'streaming',
};

async function hasTopics(log: Log, execution: string): Promise<boolean> {
  return (await log.admin.list()).some((topic) => topic.includes(`wf.${execution}`));
}

test('an end lets windows close and values be collected; the execution completes', { timeout: 30_000 }, async () => {
  const log = memory();
  await put(log, 1, 2, 11);
  const workflows = await open(log);
  await workflows.publish(WINDOWS);
  const { execution } = await workflows.start('job', null);
  while (!(await hasTopics(log, execution))) await systemClock.sleep(5);
  const first = await workflows.end(execution, { id: 'e', by: 'ann' });
  assert.deepEqual((await workflows.end(execution, { id: 'e' })).seq, 0);
  await workflows.end(execution);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { count: 2 }], JSON.stringify(view.error));
  const { events } = (await workflows.history(execution))[first.seq - 1]!;
  assert.deepEqual(events[0], { type: 'ending', by: 'ann' });
  await workflows.drain();
});

test('what is not streaming, paused, or has ended is not told to end', { timeout: 30_000 }, async () => {
  const log = memory();
  await put(log, 1);
  const workflows = await open(log);
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
  await workflows.drain();
});

test('an end outlasts the engine, whenever that is stopped', { timeout: 60_000 }, async () => {
  const log = memory();
  await put(log, 1, 2, 11);
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-ending-'));
  let workflows = await open(log, directory);
  await workflows.publish(WINDOWS);
  const executions: string[] = [];
  for (const wait of [0, 5, 20, 40, 80, 160]) {
    const { execution } = await workflows.start('job', null);
    executions.push(execution);
    while (!(await hasTopics(log, execution))) await systemClock.sleep(5);
    await workflows.end(execution);
    await systemClock.sleep(wait);
    await workflows.drain();
    workflows = await open(log, directory);
    while (!workflows.health().ready) await systemClock.sleep(5);
  }
  const outputs: Json[] = [];
  for (const each of executions) outputs.push((await workflows.ended(each)).output);
  assert.deepEqual(
    outputs,
    executions.map(() => ({ count: 2 })),
  );
  await workflows.drain();
  rmSync(directory, { recursive: true, force: true });
});
