import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { namedEvents } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import type { ExecutionView, Workflows } from '../workflows.ts';

function memory(): Log {
  return createMemoryLog({ clock: systemClock, random: seededRandom(1) });
}

async function open(log: Log = memory(), tellEveryMs = 40): Promise<Workflows> {
  const settings = { partitions: 2, segments: { settings: { commitIntervalMs: 5 }, tellEveryMs } };
  return openWorkflows({
    ...{ log, settings, state: createStateBackend({}), directory: undefined, clock: systemClock },
    ...{ telemetry: silentTelemetry(), language: createLanguage() },
  });
}

const SUMS = {
  ...documentOf(
    [
      ['list', 'expression', { value: '= input.items' }],
      ['items', 'map.items'],
      ['small', 'op.filter', { where: 'value < 5' }],
      ['by', 'op.select-key', { key: 'value == 0 ? null : string(value % 3)', partitions: 2 }],
      ['sums', 'op.aggregate', { function: 'sum', of: 'value' }],
      ['out', 'sink.topic', { topic: 'sums', value: 'double' }],
      ['all', 'collect', { newest: true }],
    ],
    ['list > items', 'items > small', 'small > by', 'by > sums', 'sums > out', 'sums > all'],
  ),
  mode: 'batch' as const,
};

function node(view: ExecutionView | undefined, id: string) {
  return view!.nodes.find((each) => each.id === id)!;
}

test('counters of nodes and edges stand in the view, as the store has it and as the records tell it', async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const { execution } = await workflows.start('job', { items: [0, 1, 2, 3, 4, 5, 6] });
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
  const plain = { filtered: 0, dropped: {}, deadLetters: 0 };
  assert.deepEqual(node(view, 'items').figures, { in: 7, out: 7, ...plain });
  assert.deepEqual(node(view, 'small').figures, { in: 7, out: 5, ...plain, filtered: 2 });
  assert.deepEqual(node(view, 'by').figures, { in: 5, out: 4, ...plain, dropped: { 'null-key': 1 } });
  assert.equal(node(view, 'list').figures, null);
  assert.deepEqual(
    view.nodes.map(({ id, segment }) => [id, segment]),
    [['list', null], ...['items', 'small', 'by', 'sums', 'out', 'all'].map((id) => [id, 'items'])],
  );
  const edges = Object.fromEntries(view.edges.map(({ id, records }) => [id, records]));
  assert.deepEqual([edges['items.out>small.in'], edges['small.out>by.in'], edges['by.out>sums.in']], [7, 5, 4]);
  assert.deepEqual(Object.keys(node(view, 'items').outputs), ['all.out'], 'figures are no output');
  assert.deepEqual(await workflows.execution(execution), view);
  assert.deepEqual(await workflows.executionAt(execution, view.seq), view);
  await workflows.drain();
});

test('transitions of inner nodes are events as those of any node, each with its time', async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const { execution } = await workflows.start('job', { items: [1, 2, 3] });
  await workflows.ended(execution);
  const records = await workflows.history(execution);
  const events = records.flatMap((record) => namedEvents(record, workflows.names(record.definition)));
  for (const id of ['small', 'by', 'sums', 'out', 'all']) {
    const moves = events.filter((event) => event.node === id && event.type === 'NODE_STATE_CHANGED');
    const told = moves.map(({ data }) => `${data['from']} > ${data['to']} (${data['cause']})`);
    assert.deepEqual(told, ['PENDING > RUNNING (segment-opened)', 'RUNNING > COMPLETED (succeeded)'], id);
  }
  const opened = records.find(({ events: of }) => of.some((each) => each.type === 'waiting' && each.on === 'segment'))!;
  const began = opened.events.filter((each) => each.type === 'node' && each.to === 'RUNNING');
  assert.equal(began.length, 6, 'the segment and its inner nodes begin in one step');
  await workflows.drain();
});

test('a run that goes on tells its counters at intervals, and nothing where nothing is new', {
  timeout: 240_000,
}, async () => {
  const log = memory();
  const orders = { name: 'orders', partitions: 1, key: string(), value: json() };
  const put = (count: number) =>
    putRecords(
      log,
      orders,
      Array.from({ length: count }, (_, n) => ({ key: 'ann', value: { total: n }, timestamp: n })),
    );
  await put(10);
  const workflows = await open(log);
  const document = documentOf(
    [
      ['orders', 'source.topic', { topic: 'orders' }],
      ['large', 'op.filter', { where: 'value.total >= 5' }],
      ['out', 'sink.topic', { topic: 'large' }],
    ],
    ['orders > large', 'large > out'],
  );
  await workflows.publish({ ...document, mode: 'streaming' });
  const { execution } = await workflows.start('job', null);
  const seen = async (records: number) => {
    for (;;) {
      const view = await workflows.execution(execution);
      if (node(view, 'large').figures?.in === records) return view!;
      await systemClock.sleep(10);
    }
  };
  const first = await seen(10);
  assert.deepEqual(
    first.nodes.map(({ status, wait }) => [status, wait?.on ?? null]),
    [
      ['RUNNING', null],
      ['RUNNING', 'segment'],
      ['RUNNING', 'segment'],
    ],
  );
  assert.deepEqual([node(first, 'large').figures!.out, node(first, 'large').figures!.filtered], [5, 5]);
  const { text } = await workflows.explain(execution, 'large');
  assert.match(text, /^large is RUNNING in the segment of orders for .*: 10 records in, 5 out, 5 filtered$/);
  // of the sink it may tell later; when all is told, nothing new is nothing told
  let before = 0;
  for (let seq = first.seq; seq !== before; ) {
    before = seq;
    await systemClock.sleep(300);
    ({ seq } = (await workflows.execution(execution))!);
  }
  const then = systemClock.monotonic();
  await put(5000);
  const second = await seen(5010);
  const most = 2 + (systemClock.monotonic() - then) / 40;
  assert.ok(second.seq - before <= most, `${second.seq - before} steps, ${most} at most`);
  await workflows.end(execution);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
  assert.ok(view.nodes.every(({ status }) => status === 'COMPLETED'));
  await workflows.drain();
});

test('a fork of an execution whose segment runs does not take over what has passed in it', {
  timeout: 240_000,
}, async () => {
  const workflows = await open();
  await workflows.publish(SUMS);
  const { execution } = await workflows.start('job', { items: [1, 2, 3] });
  const { output } = await workflows.ended(execution);
  const records = await workflows.history(execution);
  for (const { seq } of records) {
    const forked = await workflows.fork(execution, seq);
    const view = await workflows.ended(forked.execution);
    assert.deepEqual(
      [view.status, view.output],
      ['COMPLETED', output],
      `at ${seq}: ${JSON.stringify(view.error as Json)}`,
    );
  }
  await workflows.drain();
});

test('a segment that fails has told what had gone through it', { timeout: 240_000 }, async () => {
  const workflows = await open(memory(), 10_000);
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['small', 'op.filter', { where: 'value < 3' }],
      ['all', 'collect', { limit: 1 }],
    ],
    ['items > small', 'small > all'],
  );
  await workflows.publish({ ...document, mode: 'batch' });
  const { execution } = await workflows.start('job', [1, 2, 3]);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'FAILED');
  assert.deepEqual(
    view.nodes.map(({ status, figures }) => [status, figures?.in, figures?.out]),
    [
      ['FAILED', 3, 3],
      [node(view, 'small').status, 3, 2],
      ['CANCELLED', 2, 2],
    ],
  );
  await workflows.drain();
});

test('a record that fails names the node of the document in the error, its event and in words', async () => {
  const log = memory();
  const workflows = await open(log);
  const document = documentOf(
    [
      ['items', 'map.items', { items: 'input' }],
      ['shares', 'op.map', { value: 'value.list[value.at]' }],
      ['all', 'collect'],
    ],
    ['items > shares', 'shares > all'],
  );
  const input = [
    { list: [1], at: 0 },
    { list: [1], at: 7 },
  ];
  await workflows.publish({ ...document, mode: 'batch' });
  const { execution } = await workflows.start('job', input);
  const { status, error } = await workflows.ended(execution);
  const { code, message, instance } = error as { readonly [name: string]: string };
  assert.deepEqual([status, code, instance], ['FAILED', 'record.failed', '/nodes/1']);
  assert.match(message!, /^node shares failed on the record at .* \(mapValues:items:1 of its plan\): .*no item 7/);
  const records = await workflows.history(execution);
  const failed = records
    .flatMap((record) => namedEvents(record, workflows.names(record.definition)))
    .filter(({ type }) => type === 'ERROR_OCCURRED');
  assert.deepEqual(
    failed.map((event) => [event.node, (event.data as { readonly error: Json }).error]),
    [['items', error]],
  );
  for (const [id, said] of [
    ['items', /^items is FAILED .*: record.failed, node shares failed/],
    ['shares', /^shares is CANCELLED \(upstream-failed\) .*: record.failed, node shares failed/],
    ['all', /^all is CANCELLED \(upstream-failed\) for \d+ m?s(: \d+ records.*)?$/],
  ] as const) {
    assert.match((await workflows.explain(execution, id)).text, said);
  }
  await workflows.drain();
});
