import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { createLaneLog, type Log } from '../../log/log.ts';
import type { PolicySpec, WorkflowDocument } from '../document.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { runOfTopic } from '../segments/run-segment.ts';
import type { ExecutionView, Workflows } from '../workflows.ts';
import { memory, open, put, seen, sums } from './streams.fixture.ts';

/** What runs have in topics of their own and in lanes, in groups and in folders. */
async function left(log: Log, directory: string): Promise<readonly string[]> {
  const lanes = createLaneLog(log, { clock: systemClock, runOf: runOfTopic });
  const topics = (await lanes.admin.list()).filter((topic) => runOfTopic(topic) !== undefined);
  const groups = (await log.admin.groups()).map(({ group }) => group).filter((group) => group.startsWith('wf.'));
  const folders = readdirSync(directory).filter((name) => name.startsWith('wf.'));
  await lanes.close();
  return [...topics, ...groups, ...folders];
}

async function untilNothing(log: Log, directory: string, of = ''): Promise<void> {
  while ((await left(log, directory)).some((name) => name.includes(of))) await systemClock.sleep(10);
}

async function served(body: (log: Log, workflows: Workflows, directory: string) => Promise<void>): Promise<void> {
  const log = memory();
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-left-'));
  const workflows = await open(log, directory);
  try {
    await body(log, workflows, directory);
  } finally {
    await workflows.drain();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A list whose items are looked up by their own place: one that lies beyond fails the segment. */
function shares(policy: PolicySpec, more: Partial<WorkflowDocument> = {}): WorkflowDocument {
  const document = documentOf(
    [
      ['items', 'map.items'],
      ['shares', 'op.map', { value: 'value.list[value.at]' }],
      ['all', 'collect'],
      ['go', 'wait.signal', { name: 'go' }],
    ],
    ['items > shares', 'shares > all'],
  );
  const nodes = document.nodes.map((node) =>
    node.id === 'items' ? { ...node, data: { ...node.data, policy } } : node,
  );
  return { ...document, mode: 'batch', ...more, nodes };
}

const GOOD = { list: [1], at: 0 };
const BAD = { list: [1], at: 7 };

const statusOf = (view: ExecutionView, id: string) => view.nodes.find((node) => node.id === id)!.status;

test('a segment that failed for good leaves nothing, in lanes and in topics of its own', { timeout: 240_000 }, () =>
  served(async (log, workflows, directory) => {
    await workflows.publish(shares({}, { id: 'lanes' }));
    await workflows.publish(shares({}, { id: 'own', dedicated: true }));
    for (const workflow of ['lanes', 'own']) {
      const { execution } = await workflows.start(workflow, [GOOD, BAD]);
      assert.equal((await workflows.ended(execution)).status, 'FAILED');
      await untilNothing(log, directory);
    }
  }),
);

test('one that goes on without it may be begun there again by hand, while it runs', { timeout: 240_000 }, () =>
  served(async (log, workflows, directory) => {
    await workflows.publish(shares({ onError: 'continue' }));
    const { execution } = await workflows.start('job', [GOOD, BAD]);
    await seen(workflows, execution, (view) => statusOf(view, 'items') === 'FAILED');
    await untilNothing(log, directory);
    await workflows.intervene(execution, 'items', { action: 'retry', input: [GOOD, GOOD] });
    await seen(workflows, execution, (view) => statusOf(view, 'all') === 'COMPLETED');
    await untilNothing(log, directory);
    await workflows.retryFrom(execution, 'items');
    await seen(workflows, execution, (view) => statusOf(view, 'items') === 'FAILED');
    const fork = await workflows.fork(execution, (await workflows.execution(execution))!.seq);
    for (const each of [execution, fork.execution]) {
      await seen(workflows, each, (view) => statusOf(view, 'items') === 'FAILED');
      await workflows.signal(each, 'go', null);
      assert.equal((await workflows.ended(each)).status, 'COMPLETED');
    }
    await untilNothing(log, directory);
  }),
);

test(
  'what is held, or waits for another attempt, has what it had; skipped or cancelled it leaves nothing',
  {
    timeout: 240_000,
  },
  () =>
    served(async (log, workflows, directory) => {
      const late = { maxAttempts: 3, on: ['PERMANENT'], initial: '1h', max: '1h' } as const;
      await workflows.publish(shares({ onError: 'hold' }, { id: 'held' }));
      await workflows.publish(shares({ retry: late }, { id: 'late' }));
      for (const workflow of ['held', 'late']) {
        const { execution } = await workflows.start(workflow, [GOOD, BAD]);
        await seen(workflows, execution, (view) => view.nodes[0]!.error !== null);
        assert.notDeepEqual(await left(log, directory), [], workflow);
        if (workflow === 'held') await workflows.intervene(execution, 'items', { action: 'skip' });
        else await workflows.cancel(execution);
        await untilNothing(log, directory);
      }
    }),
);

test('an engine that stops as soon as an execution has ended removes the rest when it is started again', {
  timeout: 240_000,
}, async () => {
  const log = memory();
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-left-'));
  const first = await open(log, directory);
  await first.publish(shares({}));
  await first.publish({ ...sums('1.0.0'), id: 'sums' });
  await put(log, 1, 2, 3);
  await first.start('sums', null, { execution: 'x', mode: 'streaming' });
  await first.end('x');
  const { execution } = await first.start('job', [GOOD, BAD]);
  assert.deepEqual([(await first.ended(execution)).status, (await first.ended('x')).status], ['FAILED', 'COMPLETED']);
  await first.drain();
  const second = await open(log, directory);
  await untilNothing(log, directory);
  await second.drain();
  rmSync(directory, { recursive: true, force: true });
});

test(
  'what was kept at a savepoint goes when it is forgotten, and when what goes on from there has no use for it',
  {
    timeout: 240_000,
  },
  () =>
    served(async (log, workflows, directory) => {
      await workflows.publish(sums('1.0.0'));
      await put(log, 1, 2, 3);
      for (const execution of ['x', 'y']) {
        await workflows.start('job', null, { execution });
        await seen(workflows, execution, (view) => statusOf(view, 'orders') === 'RUNNING');
        await workflows.savepoint(execution);
        await workflows.ended(execution);
      }
      await workflows.forget('x');
      // the folder is the last to go, behind the topics by which it is known
      await untilNothing(log, directory, 'wf.x.');
      assert.notDeepEqual(await left(log, directory), []);
      const { execution } = await workflows.upgrade('y', { version: '1.0.0' });
      await workflows.cancel(execution);
      await workflows.ended(execution);
      await untilNothing(log, directory);
    }),
);
