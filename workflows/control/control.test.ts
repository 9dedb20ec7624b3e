import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { COMMANDS_TOPIC } from '../../events/events.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { deadLetterTopic, eachRecord } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { NodeType } from '../catalog.ts';
import { createLanguage } from '../create-language.ts';
import { VALUE_IN } from '../nodes/example.ts';
import { openWorkflows } from '../open-workflows.ts';
import type { Workflows } from '../workflows.ts';
import { CONTROL_APPLICATION } from './program.ts';
import { ADD, ADD_TASK, document, numberType, tenNodes, tenNodesResult } from './testing/small-documents.ts';

/** Puts out at as many ports as its configuration says. */
const PORTS: NodeType = {
  ...numberType('ports', {
    kind: 'inline',
    run: (config) => Object.fromEntries(portsOf(config).map((port, i) => [port, i])),
  }),
  portsOf: ({ data }) => {
    const outputs = portsOf(data?.config ?? {}).map((port) => [port, { kind: 'value' }] as const);
    return { inputs: VALUE_IN, outputs: Object.fromEntries(outputs) };
  },
};

function portsOf(config: Json): readonly string[] {
  return Array.from({ length: (config as { readonly n: number }).n }, (_, i) => `p${i}`);
}

async function open(log = createMemoryLog({ clock: systemClock, random: seededRandom(1) })): Promise<Workflows> {
  return openWorkflows({
    log,
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    language: createLanguage({ types: [ADD, ADD_TASK, PORTS] }),
    settings: { partitions: 2 },
  });
}

test('a published workflow starts, runs and answers, and its records tell how', async () => {
  const workflows = await open();
  await workflows.publish(tenNodes());
  const { execution, existing } = await workflows.start('ten', 7);
  assert.equal(existing, false);
  const view = await workflows.ended(execution);
  assert.deepEqual(view.output, tenNodesResult(7));
  assert.equal(view.status, 'COMPLETED');
  assert.equal(view.nodes.length, 10);
  const history = await workflows.history(execution);
  assert.deepEqual(
    history.map(({ seq, cause }) => [seq, cause.kind]),
    [[1, 'command']],
  );
  await workflows.drain();
});

test('the control plane commits in a lane of its own', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const ids: string[] = [];
  const producer = log.producer.bind(log);
  log.producer = (options) => {
    if (options.transactionalId !== undefined) ids.push(options.transactionalId);
    return producer(options);
  };
  const workflows = await open(log);
  assert.equal(ids.filter((id) => /^nf\.workflows-[a-z0-9]+-0-control$/.test(id)).length, 1, ids.join());
  assert.ok(!ids.some((id) => id.endsWith('-data')), ids.join());
  await workflows.drain();
});

test('a start with the same key answers with the first one, also when that has ended', async () => {
  const workflows = await open();
  await workflows.publish(tenNodes());
  const first = await workflows.start('ten', 1, { idempotencyKey: 'k' });
  const second = await workflows.start('ten', 2, { idempotencyKey: 'k' });
  assert.equal(second.execution, first.execution);
  assert.equal(second.existing, true);
  assert.deepEqual((await workflows.ended(first.execution)).output, tenNodesResult(1));
  await workflows.drain();
});

test('tasks, delays and signals lead to the end', async () => {
  const workflows = await open();
  const nodes = [
    ['a', 'add-task', { n: 1 }],
    ['b', 'delay', { for: '20ms' }],
    ['c', 'wait.signal', { name: 'go' }],
    ['d', 'add', { n: 5 }],
  ] as const;
  await workflows.publish(document('waits', nodes, ['a b', 'b c', 'c d']));
  const { execution } = await workflows.start('waits', 3);
  const ended = workflows.ended(execution);
  let view = await workflows.execution(execution);
  while (view?.nodes.find(({ id }) => id === 'c')?.status !== 'RUNNING') {
    await systemClock.sleep(5);
    view = await workflows.execution(execution);
  }
  assert.equal(view.status, 'RUNNING');
  await workflows.signal(execution, 'go', 100);
  assert.deepEqual((await ended).output, { d: 105 });
  const before = await workflows.executionAt(execution, 2);
  assert.equal(before?.status, 'RUNNING');
  assert.equal(before?.nodes.find(({ id }) => id === 'a')?.status, 'RUNNING');
  await assert.rejects(workflows.cancel(execution), { code: 'workflow.ended' });
  await assert.rejects(workflows.signal(execution, 'go', 1), { code: 'workflow.ended' });
  await assert.rejects(workflows.signal('nobody', 'go', 1), { code: 'workflow.unknown-execution' });
  await assert.rejects(workflows.start('nothing', 1), { code: 'workflow.unknown-definition' });
  await workflows.drain();
});

test('another document under a version that is there is refused, the same one is not', async () => {
  const workflows = await open();
  await workflows.publish(tenNodes());
  await workflows.publish(tenNodes());
  await assert.rejects(workflows.publish(tenNodes('add-task')), { code: 'workflow.version-taken' });
  assert.equal((await workflows.definitions()).length, 1);
  await workflows.drain();
});

test('what is no command goes to the dead letters, and harms nobody', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const workflows = await open(log);
  await workflows.publish(tenNodes());
  const producer = await log.producer({});
  const texts = ['no JSON', 'null', '{}', '{"x":"a","c":{"type":"dance"},"id":"1"}', '{"x":"a","c":null}'];
  for (const text of texts) {
    for (const partition of [0, 1]) {
      const step = new Step();
      const builder = new BatchBuilder(step);
      const value = Buffer.from(text);
      step.begin();
      builder.append(1, Buffer.from('a'), 0, 1, value, 0, value.length);
      step.settle();
      await producer.append(COMMANDS_TOPIC, partition, builder.finish());
    }
  }
  await producer.close();
  const { execution } = await workflows.start('ten', 7);
  assert.deepEqual((await workflows.ended(execution)).output, tenNodesResult(7));
  const letters: string[] = [];
  await eachRecord(log, deadLetterTopic(CONTROL_APPLICATION), 0, ({ bytes, valueStarts, valueEnds }, i) => {
    letters.push(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!));
  });
  // what is a command, and of a type that is none, is refused like all that is for an execution which is not there
  const none = texts.filter((text) => !text.includes('dance'));
  assert.deepEqual(letters.sort(), none.flatMap((text) => [text, text]).sort());
  await workflows.drain();
});

test('ports that hang on the configuration answer, and are read, as those of a type', async () => {
  const workflows = await open();
  const nodes = [
    ['a', 'ports', { n: 3 }],
    ['b', 'ports', { n: 1 }],
  ] as const;
  await workflows.publish(document('ports', nodes, []));
  const { execution } = await workflows.start('ports', null);
  assert.deepEqual((await workflows.ended(execution)).output, { a: { p0: 0, p1: 1, p2: 2 }, b: 0 });
  const outputs = { last: '= nodes.a.p2', all: '= nodes.b' };
  await workflows.publish({ ...(document('read', nodes, []) as object), outputs } as Json);
  const reading = await workflows.start('read', null);
  assert.deepEqual((await workflows.ended(reading.execution)).output, { last: 2, all: { p0: 0 } });
  await workflows.drain();
});

test('what runs stays on the version that it began with', async () => {
  const workflows = await open();
  const nodes = (n: number) => [['s', 'wait.signal', { name: 'go' }] as const, ['a', 'add', { n }] as const];
  const first = document('versions', nodes(1), ['s a']);
  await workflows.publish(first);
  await workflows.start('versions', null, { execution: 'old' });
  await workflows.publish({ ...(document('versions', nodes(100), ['s a']) as object), version: '1.1.0' });
  await workflows.start('versions', null, { execution: 'new' });
  await workflows.start('versions', null, { execution: 'named', version: '1.0.0' });
  for (const execution of ['old', 'new', 'named']) await workflows.signal(execution, 'go', 5);
  const ends = await Promise.all(['old', 'new', 'named'].map((execution) => workflows.ended(execution)));
  assert.deepEqual(
    ends.map(({ version, output }) => [version, output]),
    [
      ['1.0.0', { a: 6 }],
      ['1.1.0', { a: 105 }],
      ['1.0.0', { a: 6 }],
    ],
  );
  await workflows.drain();
});
