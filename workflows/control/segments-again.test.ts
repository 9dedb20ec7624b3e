import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import type { PolicySpec, WorkflowDocument } from '../document.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import type { ExecutionView, Workflows } from '../workflows.ts';
import { seen } from './streams.fixture.ts';

const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
let ahead = 0;
/** The clock of the wall, which a test puts forward. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };

async function open(tellEveryMs = 10_000): Promise<Workflows> {
  const settings = { partitions: 2, segments: { settings: { commitIntervalMs: 5 }, tellEveryMs } };
  return openWorkflows({
    ...{ log, settings, state: createStateBackend({}), directory: undefined, clock },
    ...{ telemetry: silentTelemetry(), language: createLanguage() },
  });
}

/** What its segment collects is another each time, and a signal ends it. */
const DOCUMENT: WorkflowDocument = {
  ...documentOf(
    [
      ['list', 'expression', { value: '= [now]' }],
      ['items', 'map.items'],
      ['all', 'collect'],
      ['go', 'wait.signal', { name: 'go' }],
      ['both', 'expression', { value: '= value' }],
    ],
    ['list > items', 'items > all', 'all > both', 'all > go'],
  ),
  mode: 'batch',
};

function output(view: ExecutionView, id: string): Json {
  return view.nodes.find((node) => node.id === id)!.outputs['out'] ?? null;
}

test('a segment that begins again by hand begins with nothing of before', { timeout: 240_000 }, async () => {
  const workflows = await open();
  await workflows.publish(DOCUMENT);
  const { execution } = await workflows.start('job', null);
  const isDone = (view: ExecutionView) => output(view, 'both') !== null;
  const first = output(await seen(workflows, execution, isDone), 'both');
  await systemClock.sleep(5);
  await workflows.retryFrom(execution, 'list');
  const second = await seen(workflows, execution, (view) => isDone(view) && output(view, 'list') !== null);
  assert.notDeepEqual(output(second, 'all'), first);
  assert.deepEqual(output(second, 'all'), output(second, 'list'));
  await workflows.intervene(execution, 'go', { action: 'skip' });
  await workflows.ended(execution);
  await workflows.drain();
});

function withPolicy(document: WorkflowDocument, id: string, policy: PolicySpec): WorkflowDocument {
  const nodes = document.nodes.map((node) => (node.id === id ? { ...node, data: { ...node.data, policy } } : node));
  return { ...document, nodes };
}

test('an attempt behind one that timed out goes on with what that has done', { timeout: 240_000 }, async () => {
  const orders = { name: 'orders', partitions: 1, key: string(), value: json() };
  const put = (...values: readonly number[]) =>
    putRecords(
      log,
      orders,
      values.map((value) => ({ key: 'ann', value, timestamp: value })),
    );
  await put(1, 2, 3);
  const workflows = await open(20);
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
      ['all', 'collect', { newest: true }],
    ],
    ['orders > sums', 'sums > all'],
  );
  const policy = { timeout: { run: '1h' }, retry: { maxAttempts: 2, initial: '1ms', max: '1ms' } } as const;
  await workflows.publish({ ...withPolicy(document, 'orders', policy), id: 'late', mode: 'streaming' });
  const { execution } = await workflows.start('late', null);
  const taken = (view: ExecutionView) => view.nodes[0]!.figures?.in;
  await seen(workflows, execution, (view) => taken(view) === 3);
  ahead += 3_600_000;
  // nobody waits for it: the engine looks at its clock
  await workflows.signal(execution, 'look', null);
  await seen(workflows, execution, (view) =>
    view.nodes.every(({ status, attempt }) => status === 'RUNNING' && attempt > 1),
  );
  await put(4);
  await seen(workflows, execution, (view) => taken(view) === 4);
  await workflows.end(execution);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { all: { ann: 10 } }], JSON.stringify(view.error));
  await workflows.drain();
});

test('a segment that is held is tried again with an input that is given by hand', { timeout: 240_000 }, async () => {
  const workflows = await open();
  const document = documentOf(
    [
      ['items', 'map.items'],
      ['all', 'collect', { limit: 1 }],
    ],
    ['items > all'],
  );
  await workflows.publish({ ...withPolicy(document, 'items', { onError: 'hold' }), id: 'held', mode: 'batch' });
  const { execution } = await workflows.start('held', [1, 2]);
  await seen(workflows, execution, (view) => view.nodes[0]!.wait?.on === 'intervention');
  await workflows.intervene(execution, 'items', { action: 'retry', input: [5] });
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { all: [5] }], JSON.stringify(view.error));
  await workflows.drain();
});
