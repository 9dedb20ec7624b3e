import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { Step } from '../../core/step.ts';
import { COMMANDS_TOPIC } from '../../events/events.ts';
import { BatchBuilder, readHeaders } from '../../log/batch.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { json, string } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { NodeType } from '../catalog.ts';
import { ADD, document, numberType } from '../control/testing/small-documents.ts';
import { createLanguage } from '../create-language.ts';
import type { WorkflowDocument } from '../document.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { openWorkflows } from '../open-workflows.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { putRecords } from '../segments/put-record.ts';
import type { LetterQuery, LetterView, Workflows } from '../workflows.ts';

const TIMEOUT = { timeout: 240_000 };

/** Fails on what is below zero. */
const PICKY: NodeType = numberType('picky', {
  kind: 'task',
  run: async (_, inputs) => {
    const [value] = Object.values(inputs);
    if ((value as number) < 0) throw new NodeFailure('PERMANENT', 'too.small', `${value} is too small`);
    return { out: value as Json };
  },
});

/** Of its node `n`: what fails there is given up at the first attempt. */
const AT_ONCE = { n: { onError: 'dead-letter', retry: { maxAttempts: 1 } } };
/** It waits for a signal besides. */
const GIVES_UP = document(
  'small',
  [
    ['n', 'picky', { n: 1 }],
    ['s', 'wait.signal', { name: 'go' }],
  ],
  [],
  AT_ONCE,
);

async function openHere(log: Log): Promise<Workflows> {
  const workflows = await openWorkflows({
    ...{ log, clock: systemClock, state: createStateBackend({}), directory: undefined, telemetry: silentTelemetry() },
    language: createLanguage({ types: [ADD, PICKY] }),
    settings: { partitions: 2, segments: { settings: { commitIntervalMs: 5, idleMs: 20 } } },
  });
  while (!workflows.health().ready) await systemClock.sleep(5);
  return workflows;
}

async function opened(body: (workflows: Workflows, log: Log) => Promise<void>): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const workflows = await openHere(log);
  try {
    await body(workflows, log);
  } finally {
    await workflows.drain();
    await log.close();
  }
}

async function letters(workflows: Workflows, count: number, query: LetterQuery = {}): Promise<readonly LetterView[]> {
  for (;;) {
    const { rows } = await workflows.deadLetters(query);
    if (rows.length >= count) return rows;
    await systemClock.sleep(5);
  }
}

async function putCommand(log: Log, text: string): Promise<void> {
  const producer = await log.producer({});
  const step = new Step();
  const builder = new BatchBuilder(step);
  const value = Buffer.from(text);
  step.begin();
  builder.append(1, Buffer.from('a'), 0, 1, value, 0, value.length);
  step.settle();
  await producer.append(COMMANDS_TOPIC, 0, builder.finish());
  await producer.close();
}

/** What has no such place in its list is given up. */
const PICKS: WorkflowDocument = {
  ...documentOf(
    [
      ['lists', 'source.topic', { topic: 'lists', partitions: 2 }],
      ['picks', 'op.map', { value: 'value.list[value.at]' }],
      ['out', 'sink.topic', { topic: 'picked', value: 'json', partitions: 1 }],
      ['all', 'collect'],
    ],
    ['lists > picks', 'picks > out', 'picks > all'],
  ),
  id: 'picks',
  mode: 'streaming',
};
const KEEPING = {
  ...PICKS,
  nodes: PICKS.nodes.map((node) =>
    node.id === 'picks' ? { ...node, data: { ...node.data, policy: { onError: 'dead-letter' as const } } } : node,
  ),
};

function putLists(log: Log, ...ats: readonly number[]): Promise<void> {
  const topic = { name: 'lists', partitions: 2, key: string(), value: json() };
  const records = ats.map((at) => ({ key: `k${at}`, value: { list: [7], at, password: 'hunter2' }, timestamp: at }));
  return putRecords(log, topic as never, records);
}

async function valuesOf(log: Log, topic: string, partitions: number): Promise<readonly string[]> {
  const found: string[] = [];
  if ((await log.admin.describe(topic)) === undefined) return found;
  for (let partition = 0; partition < partitions; partition++) {
    await eachRecord(log, topic, partition, (view, i) => {
      const headers = readHeaders(view.bytes, view.headerStarts[i]!, view.bodyEnds[i]!);
      const redrives = headers.find(({ name }) => name === 'nf.redrives')?.value;
      const value = view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!);
      found.push(redrives === undefined ? value : `${value} redriven ${String(redrives)}`);
    });
  }
  return found;
}

async function running(workflows: Workflows, log: Log, document: WorkflowDocument): Promise<string> {
  await workflows.publish(document);
  const { execution } = await workflows.start(document.id, null);
  while (!(await log.admin.list()).some((topic) => topic.startsWith(`nf.wf.${execution}.`))) await systemClock.sleep(5);
  return execution;
}

test('S2.2.d: letters of three kinds are listed in one way, filtered, and shown', TIMEOUT, () =>
  opened(async (workflows, log) => {
    await putCommand(log, '{"x":"a","c":null,"token":"abc"}');
    await workflows.publish(document('small', [['n', 'picky', { n: 1 }]], [], AT_ONCE));
    await workflows.start('small', -5, { execution: 'e' });
    await putLists(log, 0, 3);
    const execution = await running(workflows, log, KEEPING);
    const rows = await letters(workflows, 3);
    assert.deepEqual(rows.map(({ kind }) => kind).toSorted(), ['command', 'node', 'record']);
    const by = (kind: string) => rows.find((row) => row.kind === kind)!;
    const { id: _, at, task: __, ...node } = by('node');
    assert.ok(at > 1_000_000_000_000);
    assert.deepEqual(node, {
      ...{ kind: 'node', application: null, workflow: 'small', execution: 'e', node: 'n', iteration: '', from: null },
      ...{ reason: 'exhausted', class: 'PERMANENT', code: 'too.small', message: '-5 is too small' },
      ...{ redrives: 0, redriven: null },
    });
    const record = by('record');
    assert.deepEqual(
      [record.workflow, record.execution, record.node, record.from?.topic, record.reason, record.class],
      ['picks', execution, 'picks', 'lists', 'failed', 'PERMANENT'],
    );
    const command = by('command');
    assert.deepEqual([command.from, command.reason], [{ topic: COMMANDS_TOPIC, partition: 0, position: 0 }, 'failed']);

    for (const [query, kinds] of [
      [{ kind: 'record' }, ['record']],
      [{ kind: 'command' }, ['command']],
      [{ kind: 'node' }, ['node']],
      [{ execution }, ['record']],
      [{ workflow: 'small' }, ['node']],
      [{ node: 'picks' }, ['record']],
      [{ code: 'too.small' }, ['node']],
      [{ application: 'nf.workflows' }, ['command']],
      [{ until: 5 }, []],
      [{ redriven: true }, []],
    ] as const) {
      const found = (await workflows.deadLetters(query)).rows.map(({ kind }) => kind);
      assert.deepEqual(found, kinds, JSON.stringify(query));
    }
    const seen: string[] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page = await workflows.deadLetters({ limit: 1, ...(next === undefined ? {} : { after: next }) });
      seen.push(...page.rows.map(({ id }) => id));
      next = page.next;
    }
    assert.deepEqual(
      seen,
      rows.map(({ id }) => id),
    );
    await assert.rejects(workflows.deadLetters({ after: 'x' }), { code: 'query.invalid' });
    await assert.rejects(workflows.deadLetters({ limit: 0 }), { code: 'query.invalid' });

    const shown = await workflows.deadLetter(record.id);
    assert.deepEqual(shown.record?.value?.json, { list: [7], at: 3, password: '[hidden]' });
    assert.deepEqual(shown.record?.key, { bytes: 2, text: 'k3' });
    const raw = await workflows.deadLetter(record.id, { raw: true });
    assert.match(Buffer.from(raw.record!.value!.base64!, 'base64').toString(), /hunter2/);
    assert.deepEqual((await workflows.deadLetter(command.id)).record?.value?.json, {
      ...{ x: 'a', c: null, token: '[hidden]' },
    });
    assert.deepEqual((await workflows.deadLetter(by('node').id)).input, { in: -5 });
    await assert.rejects(workflows.deadLetter('nobody'), { code: 'dead-letter.unknown' });
  }),
);

test('S2.2.d: what was no command is sent as one, once', TIMEOUT, () =>
  opened(async (workflows, log) => {
    await workflows.publish(document('waits', [['s', 'wait.signal', { name: 'go' }]], []));
    await workflows.start('waits', 1, { execution: 'a' });
    await putCommand(log, '{"x":"a","c":null}');
    const [letter] = await letters(workflows, 1);
    const { id } = letter!;
    await assert.rejects(workflows.redrive(id), {
      code: 'dead-letter.unfit',
      message: /what was read is no command still, for c is no object.*give a value such as/,
    });
    for (const value of [null, 3, {}, { x: '', c: {} }, { define: {} }, { x: 'a', c: { type: 'pause' }, by: 3 }]) {
      await assert.rejects(workflows.redrive(id, { change: { value } }), { code: 'dead-letter.unfit' });
    }
    const signal = (payload: Json) => ({ x: 'a', c: { type: 'signal', name: 'go', id: 's', payload } });
    // counts as redriven though it is rejected, and may be sent again on purpose
    const toNobody = { ...signal(1), x: 'nobody' };
    await assert.rejects(workflows.redrive(id, { change: { value: toNobody }, by: 'ann' }), {
      code: 'workflow.unknown-execution',
    });
    assert.equal((await workflows.redrive(id, { change: { value: signal(2) } })).existing, true);
    const options = { change: { value: signal(3) }, by: 'ann', again: true, id: 'r2' };
    const done = await workflows.redrive(id, options);
    assert.deepEqual(
      [done.kind, done.existing, done.execution, done.by, done.times],
      ['command', false, 'a', 'ann', 2],
    );
    assert.equal((await workflows.redrive(id, options)).existing, true);
    const view = await workflows.ended('a');
    assert.deepEqual(view.output, { s: 3 });
    const step = (await workflows.history('a'))[done.seq! - 1]!;
    assert.equal(step.cause.kind, 'command');
    assert.deepEqual((await workflows.deadLetters({ redriven: true })).rows[0]!.redriven, {
      ...{ at: done.at, by: 'ann', to: done.to, times: 2 },
    });
  }),
);

test('S2.2.d: asked of two processes at once, a command and a node are each redriven once', TIMEOUT, () =>
  opened(async (first, log) => {
    const second = await openHere(log);
    await first.publish(GIVES_UP);
    await first.start('small', -5, { execution: 'e' });
    await putCommand(log, 'null');
    const rows = await letters(first, 2);
    const idOf = (kind: string) => rows.find((row) => row.kind === kind)!.id;
    const value = { x: 'e', c: { type: 'signal', name: 'other', id: 'o', payload: 1 } };
    for (const [id, change] of [
      [idOf('node'), { value: -7 }],
      [idOf('command'), { value }],
    ] as const) {
      const asked = [first, second, first, second].map((each) => each.redrive(id, { change }));
      const answers = await Promise.all(asked);
      assert.equal(answers.filter(({ existing }) => !existing).length, 1, id);
    }
    const events = (await first.history('e')).flatMap((step) => step.events);
    assert.equal(events.filter(({ type }) => type === 'redriven').length, 1);
    const commands = await valuesOf(log, COMMANDS_TOPIC, 2);
    assert.equal(commands.filter((text) => text.endsWith('redriven 1')).length, 1);
    // it failed again, as another letter
    assert.equal((await letters(second, 3)).filter(({ kind }) => kind === 'node').length, 2);
    await second.drain();
  }),
);

test('S2.2.d: a node is redriven once, with another input where one is given, and who did it is told', TIMEOUT, () =>
  opened(async (workflows) => {
    await workflows.publish(GIVES_UP);
    await workflows.start('small', -5, { execution: 'e' });
    const [letter] = await letters(workflows, 1);
    await assert.rejects(workflows.redrive(letter!.id, { change: { key: 'k' } }), { code: 'dead-letter.unfit' });
    const done = await workflows.redrive(letter!.id, { change: { value: 4 }, by: 'ann' });
    assert.deepEqual([done.kind, done.existing, done.execution, done.by], ['node', false, 'e', 'ann']);
    assert.equal((await workflows.redrive(letter!.id, { by: 'bob', id: 'other' })).existing, true);
    await workflows.signal('e', 'go', null);
    assert.deepEqual((await workflows.ended('e')).output, { n: 4, s: null });
    // also behind the end
    const again = await workflows.redrive(letter!.id, { by: 'bob' });
    assert.deepEqual([again.existing, again.by, again.at], [true, 'ann', done.at]);
    const [row] = (await workflows.deadLetters({ redriven: true })).rows;
    assert.deepEqual(row!.redriven, { at: done.at, by: 'ann', to: null, times: 1 });
  }),
);

test('S2.2.d: a record that a streaming segment gave up goes through it again', TIMEOUT, () =>
  opened(async (workflows, log) => {
    await putLists(log, 0, 3);
    const execution = await running(workflows, log, KEEPING);
    const [letter] = await letters(workflows, 1);
    const first = await workflows.redrive(letter!.id, { by: 'ann' });
    assert.equal((await workflows.redrive(letter!.id)).existing, true);
    assert.equal(first.to!.topic, 'lists');
    // it has failed again, and is told from the first
    const rows = await letters(workflows, 2);
    assert.deepEqual(
      rows.map(({ redrives }) => redrives),
      [1, 0],
    );
    const value = { list: [7, 8, 9, 10], at: 3 };
    await workflows.redrive(rows[0]!.id, { change: { value } });
    while ((await valuesOf(log, 'picked', 1)).length < 2) await systemClock.sleep(5);
    assert.deepEqual(await valuesOf(log, 'picked', 1), ['7', '10 redriven 2']);
    await workflows.end(execution);
    const view = await workflows.ended(execution);
    assert.deepEqual((view.output as { readonly all: Json }).all, [7, 10]);
    await assert.rejects(workflows.redrive(letter!.id, { again: true }), {
      code: 'dead-letter.not-redrivable',
      message: /has ended; start the workflow anew.*nodeflow dead-letters list --execution/,
    });
  }),
);

test('what has an end reads nothing beyond it; what has stopped at a savepoint goes on first', TIMEOUT, () =>
  opened(async (workflows, log) => {
    await putLists(log, 0, 3);
    await workflows.publish(KEEPING);
    const batch = await workflows.start('picks', null, { mode: 'batch' });
    await workflows.ended(batch.execution);
    const [bounded] = await letters(workflows, 1);
    await assert.rejects(workflows.redrive(bounded!.id), {
      code: 'dead-letter.not-redrivable',
      message: /is batch: it reads what was there when it began/,
    });
    const execution = await running(workflows, log, KEEPING);
    const [letter] = await letters(workflows, 1, { execution });
    await workflows.savepoint(execution);
    await workflows.ended(execution);
    await assert.rejects(workflows.redrive(letter!.id), { code: 'dead-letter.not-redrivable', message: /savepoint/ });
    await workflows.publish({ ...KEEPING, version: '2.0.0' });
    const next = await workflows.upgrade(execution, { version: '2.0.0' });
    assert.notEqual(next.execution, execution);
    assert.equal((await workflows.redrive(letter!.id)).existing, false);
    const again = await letters(workflows, 1, { execution: next.execution });
    assert.equal(again[0]!.redrives, 1);
  }),
);

test('S2.2.d: many are redriven at once, after a look at what that would do', TIMEOUT, () =>
  opened(async (workflows, log) => {
    await workflows.publish(GIVES_UP);
    for (let i = 0; i < 20; i++) await workflows.start('small', -1 - i, { execution: `e${i}` });
    await workflows.publish({ ...(document('ends', [['n', 'picky', { n: 1 }]], [], AT_ONCE) as object), id: 'ends' });
    await workflows.start('ends', -1, { execution: 'over' });
    await workflows.ended('over');
    await putLists(log, 3, 4, 5);
    const execution = await running(workflows, log, KEEPING);
    await putCommand(log, 'null');
    await letters(workflows, 25);
    const counts = (page: Awaited<ReturnType<Workflows['redriveAll']>>) => {
      const found: Record<string, number> = {};
      for (const { kind, outcome } of page.rows) found[`${kind} ${outcome}`] = (found[`${kind} ${outcome}`] ?? 0) + 1;
      return found;
    };
    const expected = (word: string) => ({
      ...{ [`node ${word}`]: 20, 'node refused': 1, [`record ${word}`]: 3, 'command refused': 1 },
    });
    const looked = await workflows.redriveAll({ limit: 100 }, { preview: true });
    assert.deepEqual(counts(looked), expected('ready'));
    assert.equal((await workflows.deadLetters({ redriven: true })).rows.length, 0);
    const some = await workflows.redriveAll({ execution }, { by: 'ann' });
    assert.deepEqual(counts(some), { 'record redriven': 3 });
    await letters(workflows, 6, { execution });
    const done = await workflows.redriveAll({ limit: 100 }, { by: 'ann' });
    assert.deepEqual(counts(done), expected('redriven'));
    const ids = done.rows.map(({ id }) => id);
    const again = await workflows.redriveAll({}, { ids: [...ids, 'nobody'] });
    assert.deepEqual(counts(again), { ...expected('existing'), 'null refused': 1 });
  }),
);
