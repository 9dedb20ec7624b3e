import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage, openWorkflows, type Workflows } from '../workflows.ts';
import { ADD, added, document, numberType } from './testing/small-documents.ts';

/** Tasks that end when a test says so. */
class Gate {
  readonly running: string[] = [];
  readonly aborted: string[] = [];
  readonly calls = new Map<string, number>();
  readonly #open = new Map<string, () => void>();

  readonly type = numberType('gated', {
    kind: 'task',
    run: async (config, inputs, { execution, node, signal }) => {
      const name = `${execution}/${node}`;
      this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
      this.running.push(name);
      signal.addEventListener('abort', () => this.aborted.push(name), { once: true });
      await new Promise<void>((resolve) => this.#open.set(name, resolve));
      return added(config, inputs);
    },
  });

  async open(name: string): Promise<void> {
    await until(() => this.#open.has(name));
    this.#open.get(name)!();
    this.#open.delete(name);
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (await holds()) return;
    await systemClock.sleep(2);
  }
  assert.fail('it never comes to that');
}

const gate = new Gate();
const language = createLanguage({ types: [ADD, gate.type] });
const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });

function openHere(): Promise<Workflows> {
  return openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, language },
    telemetry: silentTelemetry(),
    settings: { partitions: 1, slots: { default: 2, narrow: 1 } },
  });
}

let workflows = await openHere();
after(() => workflows.drain());
const one = [['a', 'gated', { n: 1 }]] as const;
await workflows.publish(document('one', one, []));
await workflows.publish(
  document(
    'two',
    [
      ['a', 'gated', { n: 1 }],
      ['b', 'gated', { n: 10 }],
    ],
    ['a b'],
  ),
);

test('a cancel ends the execution and tells its task to stop', async () => {
  await workflows.start('one', 1, { execution: 'stopped' });
  await until(() => gate.running.includes('stopped/a'));
  await workflows.cancel('stopped', { reason: 'enough' });
  const view = await workflows.ended('stopped');
  assert.equal(view.status, 'CANCELLED');
  await until(() => gate.aborted.includes('stopped/a'));
});

test('more tasks than slots wait their turn, the higher priority first', async () => {
  for (const name of ['s1', 's2']) await workflows.start('one', 1, { execution: name });
  await until(() => gate.running.includes('s2/a'));
  await workflows.start('one', 1, { execution: 'low' });
  await workflows.start('one', 1, { execution: 'gone', priority: 9 });
  await workflows.start('one', 1, { execution: 'high', priority: 9 });
  await systemClock.sleep(30);
  assert.ok(!gate.running.some((each) => /^(low|high|gone)/.test(each)));
  await workflows.cancel('gone');
  await gate.open('s1/a');
  await until(() => gate.running.includes('high/a'));
  assert.ok(!gate.running.includes('low/a'));
  for (const name of ['s2', 'high', 'low']) await gate.open(`${name}/a`);
  for (const name of ['s1', 's2', 'high', 'low']) assert.equal((await workflows.ended(name)).status, 'COMPLETED');
  assert.ok(!gate.running.includes('gone/a'));
});

test('what runs when the engine stops runs again behind it, and counts once', async () => {
  await workflows.start('two', 1, { execution: 'again' });
  await gate.open('again/a');
  await until(() => gate.running.includes('again/b'));
  await workflows.drain();
  await assert.rejects(workflows.pause('again'), { code: 'stopped' });
  workflows = await openHere();
  await until(() => gate.calls.get('again/b') === 2);
  await gate.open('again/b');
  assert.deepEqual((await workflows.ended('again')).output, { b: 12 });
});

test('an execution goes on from a step of another, and the same command twice is one', async () => {
  await workflows.start('two', 5, { execution: 'first' });
  await gate.open('first/a');
  await gate.open('first/b');
  assert.deepEqual((await workflows.ended('first')).output, { b: 16 });
  const history = await workflows.history('first');
  const ready = history.find(({ events }) => events.some((each) => each.type === 'output'))!;
  const { execution } = await workflows.fork('first', ready.seq, { execution: 'second' });
  await gate.open('second/b');
  assert.deepEqual((await workflows.ended(execution)).output, { b: 16 });
  assert.equal(gate.calls.get('second/a'), undefined);
  const [started] = (await workflows.history(execution))[0]!.events;
  assert.deepEqual(started?.type === 'started' && started.forkOf, { execution: 'first', seq: ready.seq });
});

test('a fork takes the branch that a switch has taken', async () => {
  const cases = [{ port: 'small', when: '= value < 3' }];
  const plain = document(
    'branches',
    [
      ['which', 'switch', { cases }],
      ['few', 'add', { n: 100 }],
      ['many', 'add', { n: 200 }],
    ],
    [],
  ) as object;
  const edges = [
    { source: 'which', sourceHandle: 'small', target: 'few' },
    { source: 'which', sourceHandle: 'else', target: 'many' },
  ];
  await workflows.publish({ ...plain, edges });
  await workflows.start('branches', 5, { execution: 'chosen' });
  const { output, seq } = await workflows.ended('chosen');
  assert.deepEqual(output, { many: 205 });
  const { execution } = await workflows.fork('chosen', seq);
  const forked = await workflows.ended(execution);
  assert.deepEqual(forked.output, { many: 205 });
});

test('what pauses begins nothing until it is resumed; a command that comes twice counts once', async () => {
  await workflows.start('two', 1, { execution: 'paused' });
  await workflows.pause('paused', { id: 'p' });
  await workflows.pause('paused', { id: 'p' });
  await gate.open('paused/a');
  await systemClock.sleep(30);
  assert.ok(!gate.running.includes('paused/b'));
  await workflows.resume('paused');
  await gate.open('paused/b');
  assert.deepEqual((await workflows.ended('paused')).output, { b: 12 });
  const pauses = (await workflows.history('paused')).flatMap(({ events }) =>
    events.filter(({ type }) => type === 'paused'),
  );
  assert.equal(pauses.length, 1);
});

test('what pauses again pauses its children again', async () => {
  const config = { workflow: 'two', input: '= input' };
  await workflows.publish(document('nest', [['inner', 'workflow', config]], []));
  await workflows.start('nest', 1, { execution: 'nest' });
  await until(() => gate.running.includes('nest/inner/a'));
  const becomes = (phase: string) => until(async () => (await workflows.execution('nest/inner'))?.phase === phase);
  await workflows.pause('nest');
  await becomes('paused');
  await workflows.resume('nest');
  await becomes('running');
  await workflows.pause('nest');
  await becomes('paused');
  await workflows.resume('nest');
  for (const name of ['nest/inner/a', 'nest/inner/b']) await gate.open(name);
  assert.deepEqual((await workflows.ended('nest')).output, { inner: { b: 12 } });
});

test('a running execution takes a node more', async () => {
  await workflows.start('one', 1, { execution: 'grown' });
  await until(() => gate.running.includes('grown/a'));
  await workflows.patch('grown', 0, [
    { op: 'add-node', node: { id: 'more', type: 'add', data: { config: { n: 100 } } } },
    { op: 'add-edge', edge: { source: 'a', target: 'more' } },
  ]);
  await assert.rejects(workflows.patch('grown', 0, []), { name: 'FlowError' });
  await gate.open('grown/a');
  const view = await workflows.ended('grown');
  assert.deepEqual([view.revision, view.output], [1, { more: 102 }]);
  assert.deepEqual((await workflows.executionAt('grown', 1))?.revision, 0);
});

test('a node that a patch brings, and that waits for nothing, begins in the step of the patch', async () => {
  await workflows.start('one', 1, { execution: 'wider' });
  await until(() => gate.running.includes('wider/a'));
  const node = { id: 'beside', type: 'gated', data: { config: { n: 100 } } };
  await workflows.patch('wider', 0, [{ op: 'add-node', node }]);
  await gate.open('wider/beside');
  await gate.open('wider/a');
  assert.deepEqual((await workflows.ended('wider')).output, { a: 2, beside: 101 });
});

test('a task takes a slot of its own pool, also behind a node that a patch has removed', async () => {
  const narrow = { placement: { pool: 'narrow' } };
  const nodes = ['a', 'x', 'b', 'c'].map((id) => [id, 'gated', { n: 1 }] as const);
  await workflows.publish(document('pools', nodes, ['a x', 'a b', 'a c'], { b: narrow, c: narrow }));
  await workflows.start('pools', 1, { execution: 'pools' });
  await workflows.patch('pools', 0, [{ op: 'remove-node', id: 'x' }]);
  await gate.open('pools/a');
  await until(() => gate.running.includes('pools/b'));
  await systemClock.sleep(30);
  assert.ok(!gate.running.includes('pools/c'));
  await gate.open('pools/b');
  await gate.open('pools/c');
  assert.deepEqual((await workflows.ended('pools')).output, { b: 3, c: 3 });
});
