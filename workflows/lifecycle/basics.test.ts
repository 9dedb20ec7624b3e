import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whenJoin } from './testing/build-graph.ts';
import { fault, Harness, START } from './testing/harness.ts';

const ids = (text: string) => text.split(' ').map((id) => ({ id }));
const edges = (text: string) => text.split(' ').map((each) => ({ from: each.split('>')[0]!, to: each.split('>')[1]! }));
const RETRY = { maxAttempts: 3 };

test('a line of inline nodes runs within the step of the start', () => {
  const world = new Harness(
    { nodes: ids('a b c'), edges: edges('a>b b>c') },
    { inline: (node, _, inputs) => ({ out: `${inputs['in']}${node.id}` }) },
  );
  world.start('>');
  assert.deepEqual(world.ended, { status: 'COMPLETED', output: { c: '>abc' }, error: null, degraded: false });
  assert.equal(world.records.length, 1);
  assert.deepEqual(world.rows.header()?.counts, {
    PENDING: 0,
    QUEUED: 0,
    RUNNING: 0,
    COMPLETED: 3,
    FAILED: 0,
    CANCELLED: 0,
  });
});

test('siblings are queued together, and a join waits for both', () => {
  const task = 'task' as const;
  const world = new Harness({
    nodes: [{ id: 'a' }, { id: 'b', kind: task }, { id: 'c', kind: task }, { id: 'd' }],
    edges: edges('a>b a>c b>d c>d'),
  });
  world.start(1);
  assert.equal(world.states, 'a:COMPLETED b:QUEUED c:QUEUED d:PENDING');
  world.done('c', 'C');
  assert.equal(world.states, 'a:COMPLETED b:QUEUED c:COMPLETED d:PENDING');
  world.done('b', 'B');
  assert.deepEqual(world.ended.output, { d: { b: 'B', c: 'C' } });
});

test('a switch takes one port, the others are skipped through to the join', () => {
  const config = { cases: [{ port: 'yes', when: true }] };
  const world = new Harness({
    nodes: [{ id: 's', kind: 'switch', config }, ...ids('y n m e')],
    edges: [{ from: 's', port: 'yes', to: 'y' }, { from: 's', port: 'else', to: 'n' }, ...edges('n>m y>e m>e')],
  });
  world.start(7);
  assert.equal(world.states, 's:COMPLETED y:COMPLETED n:CANCELLED m:CANCELLED e:COMPLETED');
  assert.equal(world.row('m').cause, 'branch-not-taken');
  assert.deepEqual(world.ended.output, { e: { y: 7 } });
});

test('joins: any, atLeast, all-done, when', () => {
  const task = 'task' as const;
  const world = new Harness({
    nodes: [
      ...['a', 'b', 'c'].map((id) => ({ id, kind: task, required: id !== 'c' })),
      { id: 'any', join: { policy: 'any' } },
      { id: 'two', join: { policy: 'atLeast', count: 2 } },
      { id: 'done', join: { policy: 'all-done' } },
      { id: 'when', join: whenJoin(({ a, c }) => a!.succeeded && c!.failed) },
      { id: 'never', join: whenJoin(({ c }) => c!.succeeded) },
    ],
    edges: ['any', 'two', 'done', 'when', 'never'].flatMap((to) => ['a', 'b', 'c'].map((from) => ({ from, to }))),
  });
  world.start();
  world.done('a', 1);
  assert.equal(world.status('any'), 'COMPLETED');
  assert.equal(world.status('two'), 'PENDING');
  world.done('b', 2);
  assert.equal(world.status('two'), 'COMPLETED');
  assert.equal(world.status('done'), 'PENDING');
  world.failed('c', fault('PERMANENT'));
  const { status, output, degraded } = world.ended;
  assert.equal(status, 'COMPLETED');
  assert.equal(degraded, false);
  assert.deepEqual(output, { any: 1, two: { a: 1, b: 2 }, done: { a: 1, b: 2 }, when: { a: 1, b: 2 } });
  assert.equal(world.status('never'), 'CANCELLED');
});

test('a failure is tried again with drawn backoff, then fails the execution', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task', retry: RETRY }, { id: 'b' }], edges: edges('a>b') });
  world.start();
  world.failed('a', fault('TRANSIENT'));
  assert.equal(world.status('a'), 'PENDING');
  const [timer] = world.row('a').timers;
  assert.ok(timer!.due >= world.at && timer!.due <= world.at + 1000);
  world.fire();
  assert.equal(world.status('a'), 'QUEUED');
  const late = world.report('a', { ok: true, outputs: { out: 1 } }, '', 1);
  assert.equal(world.rejection(late), 'workflow.stale');
  world.failed('a', fault('SYSTEM'), '', 50_000);
  assert.equal(world.row('a').timers[0]!.due, world.at + 50_000);
  world.fire();
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  world.failed('a', fault('TRANSIENT', 'the.last'));
  assert.deepEqual(world.ended, { status: 'FAILED', output: null, error: 'the.last', degraded: false });
  assert.equal(world.states, 'a:FAILED b:CANCELLED');
  assert.equal(world.row('a').attempt, 4);
});

test('cancel leaves nothing running, within its grace', () => {
  const world = new Harness({
    nodes: [{ id: 'a', kind: 'task' }, { id: 'c', kind: 'task' }, { id: 'b' }],
    edges: edges('a>b'),
  });
  world.start();
  world.grant('a');
  world.send({ type: 'cancel', reason: 'why not', node: null, graceMs: 500 });
  assert.equal(world.states, 'a:RUNNING c:CANCELLED b:CANCELLED');
  assert.ok(world.effects.some(({ effect }) => effect === 'abort'));
  world.fire();
  assert.equal(world.ended.status, 'CANCELLED');
  assert.equal(world.states, 'a:CANCELLED c:CANCELLED b:CANCELLED');
  assert.equal(world.rejection(world.report('a', { ok: true, outputs: {} })), 'workflow.ended');
});

test('a start that comes again changes nothing; what is not known is rejected', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task' }], edges: [] });
  assert.equal(world.rejection(world.send({ type: 'pause' })), 'workflow.unknown-execution');
  world.start();
  assert.equal(world.send(START).record, undefined);
  assert.equal(world.rejection(world.start()), undefined);
  assert.equal(world.rejection(world.send({ type: 'retry-from', node: 'nobody' })), 'workflow.unknown-node');
});
