import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { createLaneLog, type Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import type { WorkflowDocument } from '../document.ts';
import { DATA_PLANE_TYPES } from '../nodes/data-plane-types.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import { runOfTopic } from '../segments/run-segment.ts';
import type { StartOptions, Workflows } from '../workflows.ts';

function memory(): Log {
  return createMemoryLog({ clock: systemClock, random: seededRandom(1) });
}

async function open(log: Log = memory(), directory?: string, language = createLanguage()): Promise<Workflows> {
  const telemetry = silentTelemetry();
  const state = createStateBackend({});
  // a segment tells of transitions alone, however long it takes
  const settings = { partitions: 2, segments: { settings: { commitIntervalMs: 5 }, tellEveryMs: 3_600_000 } };
  return openWorkflows({ log, state, directory, clock: systemClock, telemetry, language, settings });
}

function batch(document: WorkflowDocument, more: Partial<WorkflowDocument> = {}): WorkflowDocument {
  return { ...document, mode: 'batch', ...more };
}

const SUMS = batch(
  documentOf(
    [
      ['list', 'expression', { value: '= input.items' }],
      ['items', 'map.items'],
      ['small', 'op.filter', { where: 'value < 100000' }],
      ['by', 'op.select-key', { key: 'string(value % 3)', partitions: 2 }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
      ['all', 'collect', { newest: true }],
      ['first', 'expression', { value: "= value['0']" }],
    ],
    ['list > items', 'items > small', 'small > by', 'by > sums', 'sums > all', 'all > first'],
  ),
);

test('a segment is a node among others: values go in and come out', { timeout: 240_000 }, async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const { execution } = await workflows.start('job', { items: [1, 2, 3, 4, 5, 6] });
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
  assert.deepEqual(view.output, { first: 9 });
  assert.deepEqual(
    view.nodes.map(({ id, status }) => [id, status]),
    ['list', 'items', 'small', 'by', 'sums', 'all', 'first'].map((id) => [id, 'COMPLETED']),
  );
  await workflows.drain();
});

test('the step records of a run do not grow with its records', { timeout: 240_000 }, async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const steps: number[] = [];
  for (const count of [10, 20_000]) {
    const items = Array.from({ length: count }, (_, n) => n);
    const { execution } = await workflows.start('job', { items });
    const view = await workflows.ended(execution);
    assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
    steps.push((await workflows.history(execution)).length);
  }
  // start, grant, report, and one for each end of an inner node at most
  for (const count of steps) assert.ok(count <= 12, `${steps.join(', ')} steps`);
  await workflows.drain();
});

test('inner counters and lives are told by progress', { timeout: 240_000 }, async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const { execution } = await workflows.start('job', { items: [1, 2, 3] });
  await workflows.ended(execution);
  const told = (await workflows.history(execution)).flatMap(({ events }) =>
    events.flatMap((event) => (event.type === 'progress' ? [event.value as Record<string, Json>] : [])),
  );
  assert.ok(told.length > 0);
  assert.deepEqual(Object.keys(told[0]!['nodes'] as object), ['items', 'small', 'by', 'sums', 'all']);
  await workflows.drain();
});

test('a document that is dedicated has topics of its own, and others make none', { timeout: 240_000 }, async () => {
  const log = memory();
  const workflows = await open(log);
  await workflows.publish(SUMS);
  await workflows.publish({ ...SUMS, id: 'own', dedicated: true });
  const made: number[] = [];
  for (const workflow of ['job', 'job', 'own']) {
    const before = (await log.admin.list()).length;
    const { execution } = await workflows.start(workflow, { items: [1, 2, 3] });
    assert.equal((await workflows.ended(execution)).status, 'COMPLETED');
    made.push((await log.admin.list()).length - before);
  }
  // the lanes and the dead letters of all runs, nothing, and what a run needs
  assert.deepEqual(made.slice(0, 2), [10, 0]);
  assert.ok(made[2]! > 5);
  await workflows.drain();
});

test('what fails in a segment fails its node, and goes to who handles it', { timeout: 240_000 }, async () => {
  const workflows = await open();
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['all', 'collect', { limit: 2 }],
    ],
    ['items > all'],
  );
  await workflows.publish(batch(document));
  const { execution } = await workflows.start('job', [1, 2, 3]);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'FAILED');
  assert.match(JSON.stringify(view.error), /workflow\.too-many-records/);
  await workflows.drain();
});

test('segments of an execution with a long id have runs of their own', { timeout: 240_000 }, async () => {
  const workflows = await open();
  const document = documentOf(
    [
      ['a', 'map.items', { items: 'input.a' }],
      ['ofA', 'collect'],
      ['b', 'map.items', { items: 'input.b' }],
      ['ofB', 'collect'],
    ],
    ['a > ofA', 'b > ofB'],
  );
  await workflows.publish(batch(document));
  const { execution } = await workflows.start('job', { a: [1], b: [2] }, { execution: 'x'.repeat(400) });
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
  assert.deepEqual(view.output, { ofA: [1], ofB: [2] });
  await workflows.drain();
});

test('the mode of an execution is that of its segments', { timeout: 240_000 }, async () => {
  const log = memory();
  await putRecords(
    log,
    { name: 'orders', partitions: 1, key: string(), value: json() },
    [1, 2].map((value) => ({ key: 'ann', value, timestamp: 0 })),
  );
  const workflows = await open(log);
  const orders = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['all', 'collect'],
    ],
    ['orders > all'],
  );
  const outcome = async (workflow: string, input: Json, options?: StartOptions) => {
    const { execution } = await workflows.start(workflow, input, options);
    const { status, mode, output } = await workflows.ended(execution);
    return { status, mode, output };
  };
  await workflows.publish(orders);
  const one = await outcome('job', { value: 3 });
  assert.deepEqual(one, { status: 'COMPLETED', mode: 'realtime', output: { all: [3] } });
  const both = { status: 'COMPLETED', mode: 'batch', output: { all: [1, 2] } };
  assert.deepEqual(await outcome('job', null, { mode: 'batch' }), both);
  await workflows.publish(batch(orders, { version: '2.0.0' }));
  assert.deepEqual(await outcome('job', { value: 3 }, { mode: 'realtime', version: '2.0.0' }), one);
  const child = (id: string, version: string) => ({
    ...documentOf([['child', 'workflow', { workflow: 'job', version }]], []),
    id,
  });
  await workflows.publish(child('ofOne', '1.0.0'));
  await workflows.publish(child('ofBatch', '2.0.0'));
  // a child runs as its document says, and else as who started it
  for (const [workflow, mode] of [
    ['ofOne', 'batch'],
    ['ofBatch', 'realtime'],
  ] as const) {
    assert.deepEqual((await outcome(workflow, null, { mode })).output, { child: { all: [1, 2] } }, workflow);
  }
  await workflows.drain();
});

test('cancel ends a streaming run, and leaves nothing of it', { timeout: 240_000 }, async () => {
  const log = memory();
  await log.admin.create('orders', { partitions: 1 });
  const workflows = await open(log);
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['all', 'collect'],
    ],
    ['orders > all'],
  );
  await workflows.publish({ ...document, mode: 'streaming' });
  const { execution } = await workflows.start('job', null);
  const ofRun = async () => (await log.admin.list()).filter((topic) => topic.includes(`wf.${execution}`));
  while ((await ofRun()).length === 0) await systemClock.sleep(20);
  await workflows.cancel(execution, { reason: 'not wanted' });
  assert.equal((await workflows.ended(execution)).status, 'CANCELLED');
  while ((await ofRun()).length > 0) await systemClock.sleep(20);
  await workflows.drain();
});

test('an engine that is started again goes on with a run', { timeout: 240_000 }, async () => {
  const log = memory();
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-segments-'));
  const first = await open(log, directory);
  await first.publish(SUMS);
  const items = Array.from({ length: 30_000 }, (_, n) => n);
  const { execution } = await first.start('job', { items });
  const lanes = createLaneLog(log, { clock: systemClock, runOf: runOfTopic });
  const ofRun = async () => (await lanes.admin.list()).some((topic) => topic.includes(`wf.${execution}`));
  while (!(await ofRun())) await systemClock.sleep(5);
  await lanes.close();
  await first.drain();
  const second = await open(log, directory);
  while (!second.health().ready) await systemClock.sleep(5);
  const view = await second.ended(execution);
  assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
  assert.deepEqual(view.output, { first: items.filter((n) => n % 3 === 0).reduce((sum, n) => sum + n, 0) });
  await second.drain();
  rmSync(directory, { recursive: true, force: true });
});

test('the examples of the data plane run as workflows', { timeout: 240_000 }, async () => {
  const elsewhere = ['source.file', 'sink.file', 'sink.postgres', 'sink.http'];
  const workflows = await open();
  const examples = DATA_PLANE_TYPES.filter(({ name }) => !elsewhere.includes(name));
  for (const [i, { name, example }] of examples.entries()) {
    for (const other of example.others ?? []) await workflows.publish(other);
    const mode = name === 'source.topic' ? 'realtime' : 'batch';
    await workflows.publish({ ...(example.document as unknown as WorkflowDocument), id: `example-${i}`, mode });
  }
  await Promise.all(
    examples.map(async ({ name, example }, i) => {
      const { execution } = await workflows.start(`example-${i}`, example.input);
      const { output, status } = await workflows.ended(execution);
      assert.equal(status, 'COMPLETED', name);
      const lists = (value: Json) =>
        JSON.stringify(value)
          .split(/(?<=[\],])/)
          .sort();
      assert.deepEqual(lists(output).length, lists(example.output).length, name);
    }),
  );
  await workflows.drain();
});

test('exports reach what the language allows, and nothing internal besides', { timeout: 240_000 }, async () => {
  const taken: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    taken.push(request.url);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { document } = DATA_PLANE_TYPES.find(({ name }) => name === 'sink.http')!.example;
  for (const allow of [[], [host]]) {
    const workflows = await open(memory(), undefined, createLanguage({ http: { allow } }));
    await workflows.publish(batch(document as unknown as WorkflowDocument, { id: 'hook' }));
    const input = { orders: [{ id: 1 }], url: `http://${host}/allowed-${allow.length}` };
    const { execution } = await workflows.start('hook', input);
    const { status, error } = await workflows.ended(execution);
    const code = (error as { readonly code?: string } | null)?.code;
    assert.deepEqual([status, code], allow.length > 0 ? ['COMPLETED', undefined] : ['FAILED', 'export.refused']);
    await workflows.drain();
  }
  assert.deepEqual(taken, ['/allowed-1']);
  server.close();
});
