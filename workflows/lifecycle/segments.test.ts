import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import type { GraphSpec, NodeSketch } from './testing/build-graph.ts';
import { fault, Harness } from './testing/harness.ts';

/** `before` > a segment of `rows`, `small`, `file` and two collects > `after` behind one of them, `told` behind `file`. */
function spec(rows: Partial<NodeSketch> = {}, more: readonly NodeSketch[] = []): GraphSpec {
  const inner = (id: string): NodeSketch => ({ id, kind: 'inner', standIn: 'rows' });
  return {
    nodes: [
      { id: 'before' },
      { id: 'rows', kind: 'operator', ...rows },
      ...['small', 'file', 'all', 'odd'].map(inner),
      { id: 'after', kind: 'task' },
      { id: 'told', kind: 'task' },
      ...more,
    ],
    edges: [
      { from: 'before', to: 'rows', toPort: 'rows.in' },
      { from: 'rows', to: 'small', kind: 'control' },
      { from: 'rows', to: 'file', kind: 'control' },
      { from: 'rows', to: 'all', port: 'all.out' },
      { from: 'rows', to: 'odd', port: 'odd.out' },
      { from: 'all', to: 'after' },
      { from: 'file', to: 'told', kind: 'control' },
      ...more.map(({ id }) => ({ from: 'rows', to: id, kind: 'error' as const })),
    ],
  };
}

const INNER = ['small', 'file', 'all', 'odd'];

function figures(...passed: readonly string[]): Json {
  const nodes = ['rows', ...INNER].map((id) => [id, { status: passed.includes(id) ? 'COMPLETED' : 'RUNNING', in: 3 }]);
  return { nodes: Object.fromEntries(nodes), edges: {}, share: 0.5 };
}

function started(...args: Parameters<typeof spec>): Harness {
  const execution = new Harness(spec(...args));
  execution.start();
  return execution;
}

function running(...args: Parameters<typeof spec>): Harness {
  const execution = started(...args);
  execution.grant('rows');
  return execution;
}

function tell(execution: Harness, value: Json, attempt = execution.row('rows').attempt) {
  return execution.send({ type: 'progress', node: execution.graph.number('rows')!, iteration: '', attempt, value });
}

function inner(execution: Harness): string {
  return INNER.map((id) => execution.status(id)).join(' ');
}

test('inner nodes run when their segment does, and wait on it', () => {
  const execution = started();
  assert.equal(inner(execution), 'PENDING PENDING PENDING PENDING');
  execution.grant('rows');
  assert.equal(inner(execution), 'RUNNING RUNNING RUNNING RUNNING');
  const { wait, cause, timers, attempt } = execution.row('small');
  assert.deepEqual([wait, cause, timers, attempt], [{ on: 'segment', token: 'rows' }, 'segment-opened', [], 1]);
  const effects = execution.effects.filter(({ effect }) => effect === 'queue' || effect === 'run');
  assert.equal(effects.length, 2, 'a slot for the segment, and none for what is in it');
});

test('what has passed is COMPLETED then, and tells its edges; a value comes with the report', () => {
  const execution = running();
  tell(execution, figures('small', 'file', 'all'));
  assert.equal(inner(execution), 'COMPLETED COMPLETED RUNNING RUNNING');
  assert.equal(execution.status('told'), 'QUEUED');
  assert.equal(execution.status('after'), 'PENDING');
  execution.report('rows', { ok: true, outputs: { 'all.out': [1, 2], 'odd.out': [1] }, progress: figures(...INNER) });
  assert.equal(inner(execution), 'COMPLETED COMPLETED COMPLETED COMPLETED');
  assert.equal(execution.status('after'), 'QUEUED');
  execution.done('after', 'x');
  execution.done('told', 'y');
  assert.equal(execution.ended.status, 'COMPLETED');
  assert.deepEqual(execution.rows.output('4', 'out'), [1, 2]);
});

test('figures that were overtaken change nothing', () => {
  const execution = running();
  const told = (at: number, ...passed: readonly string[]) => ({ ...(figures(...passed) as object), at }) as Json;
  tell(execution, told(5));
  assert.equal(tell(execution, told(4, 'small')).record, undefined);
  assert.equal(execution.status('small'), 'RUNNING');
  tell(execution, told(6, 'small'));
  assert.equal(execution.status('small'), 'COMPLETED');
});

test('figures that come again, or late, change nothing; the last ones are kept', () => {
  const execution = running();
  tell(execution, figures('small'));
  const before = execution.records.length;
  assert.equal(tell(execution, figures('small')).record, undefined);
  assert.equal(execution.records.length, before);
  tell(execution, figures());
  assert.equal(execution.status('small'), 'COMPLETED');
  assert.deepEqual(execution.rows.output('1', '#figures'), figures());
  for (const odd of [null, 5, [], { nodes: null }, { nodes: { file: 'COMPLETED' } }]) tell(execution, odd);
  assert.equal(execution.status('file'), 'RUNNING');
  assert.equal(execution.rejection(tell(execution, figures('file'), 0)), 'workflow.stale');
  execution.report('rows', { ok: true, outputs: { 'all.out': 1, 'odd.out': 2 } });
  assert.equal(execution.rejection(tell(execution, figures('file'))), 'workflow.stale');
});

test('a segment that fails for good takes with it what has not passed', () => {
  const execution = running();
  tell(execution, figures('small'));
  execution.failed('rows', fault('PERMANENT'));
  assert.equal(inner(execution), 'COMPLETED CANCELLED CANCELLED CANCELLED');
  assert.equal(execution.row('file').cause, 'upstream-failed');
  assert.equal(execution.ended.status, 'FAILED');
});

test('where its failure is handled, what lies behind inner nodes is skipped, or goes on', () => {
  const routed = running({}, [{ id: 'rescue' }]);
  routed.failed('rows', fault('PERMANENT'));
  assert.equal(inner(routed), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(routed.row('file').cause, 'upstream-failed');
  assert.deepEqual([routed.status('rescue'), routed.status('after')], ['COMPLETED', 'CANCELLED']);
  assert.equal(routed.ended.status, 'COMPLETED');
  const goesOn = running({ onError: 'continue' });
  goesOn.failed('rows', fault('PERMANENT'));
  assert.equal(inner(goesOn), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.deepEqual([goesOn.status('told'), goesOn.status('after')], ['QUEUED', 'QUEUED']);
});

test('an attempt that is made again takes inner nodes back, but those that have passed', () => {
  const execution = running({ retry: { maxAttempts: 2, backoff: 'none' } });
  tell(execution, figures('small'));
  execution.failed('rows', fault('TRANSIENT'));
  assert.equal(inner(execution), 'COMPLETED PENDING PENDING PENDING');
  assert.deepEqual([execution.row('file').cause, execution.row('file').wait], ['retry', null]);
  execution.fire();
  execution.grant('rows');
  assert.equal(inner(execution), 'COMPLETED RUNNING RUNNING RUNNING');
  assert.equal(execution.row('file').attempt, 2);
  execution.done('rows');
  assert.equal(inner(execution), 'COMPLETED COMPLETED CANCELLED CANCELLED', 'what was given no value is skipped');
});

test('a segment that is held holds its inner nodes', () => {
  const execution = running({ onError: 'hold' });
  tell(execution, figures('small'));
  execution.failed('rows', fault('PERMANENT'));
  assert.equal(inner(execution), 'COMPLETED PENDING PENDING PENDING');
  execution.send({ type: 'intervene', node: 'rows', iteration: '', action: 'retry', value: null });
  assert.equal(inner(execution), 'PENDING PENDING PENDING PENDING');
  execution.grant('rows');
  assert.equal(inner(execution), 'RUNNING RUNNING RUNNING RUNNING');
});

test('cancel lets inner nodes end as their segment does; a report within the grace counts', () => {
  const late = running();
  late.send({ type: 'cancel', reason: 'so', node: null });
  assert.equal(inner(late), 'RUNNING RUNNING RUNNING RUNNING');
  late.report('rows', { ok: true, outputs: { 'all.out': 1, 'odd.out': 2 } });
  assert.equal(inner(late), 'COMPLETED COMPLETED COMPLETED COMPLETED');
  assert.equal(late.ended.status, 'CANCELLED');
  const stopped = running();
  stopped.send({ type: 'cancel', reason: 'so', node: null });
  stopped.failed('rows', fault('USER'));
  assert.equal(inner(stopped), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(stopped.row('all').cause, 'cancelled');
  const silent = running();
  silent.send({ type: 'cancel', reason: 'so', node: null });
  silent.fire();
  assert.equal(inner(silent), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(silent.ended.status, 'CANCELLED');
});

test('a node that stands for a segment is cancelled with what is in it', () => {
  const execution = running();
  execution.send({ type: 'cancel', reason: 'so', node: 'rows' });
  assert.equal(inner(execution), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(execution.row('all').cause, 'cancelled');
  assert.equal(execution.ended.status, 'COMPLETED');
});

test('while paused inner nodes pass and end, and nothing begins behind them', () => {
  const execution = running();
  execution.send({ type: 'pause' });
  tell(execution, figures('small', 'file'));
  assert.equal(inner(execution), 'COMPLETED COMPLETED RUNNING RUNNING');
  execution.report('rows', { ok: true, outputs: { 'all.out': 1, 'odd.out': 2 } });
  assert.equal(inner(execution), 'COMPLETED COMPLETED COMPLETED COMPLETED');
  assert.deepEqual([execution.status('told'), execution.status('after')], ['PENDING', 'PENDING']);
  execution.send({ type: 'resume' });
  assert.deepEqual([execution.status('told'), execution.status('after')], ['QUEUED', 'QUEUED']);
});

test('begun again by hand, a segment begins with all that is in it', () => {
  for (const node of ['before', 'rows']) {
    const execution = running();
    tell(execution, figures('small', 'file'));
    execution.send({ type: 'retry-from', node });
    assert.equal(inner(execution), 'PENDING PENDING PENDING PENDING');
    assert.equal(execution.rows.output('1', '#figures'), undefined);
    assert.equal(execution.status('told'), 'PENDING', 'what followed begins again too');
    execution.grant('rows');
    assert.equal(inner(execution), 'RUNNING RUNNING RUNNING RUNNING');
  }
  const execution = running();
  tell(execution, figures('small'));
  execution.send({ type: 'intervene', node: 'rows', iteration: '', action: 'retry', value: [5] });
  assert.equal(inner(execution), 'PENDING PENDING PENDING PENDING');
});

test('an attempt resumes what was before, but where it was begun again by hand', () => {
  const execution = running({ retry: { maxAttempts: 2, backoff: 'none' }, timeouts: { queueMs: 5000 } });
  const resumed = () => execution.effects.flatMap((each) => (each.effect === 'run' ? [each.resume] : [])).at(-1);
  assert.equal(resumed(), null);
  execution.failed('rows', fault('TRANSIENT'));
  execution.fire();
  execution.grant('rows');
  assert.deepEqual(resumed(), { number: 1, value: null });
  execution.send({ type: 'retry-from', node: 'rows' });
  // nobody takes it in time
  execution.fire();
  execution.fire();
  execution.grant('rows');
  assert.deepEqual(resumed(), { number: 0, value: null });
});

test('what is supplied by hand for a segment goes to its collects', () => {
  const intervene = (execution: Harness, action: 'output' | 'skip' | 'fail', value: Json = null) =>
    execution.rejection(execution.send({ type: 'intervene', node: 'rows', iteration: '', action, value }));
  const execution = running();
  assert.equal(intervene(execution, 'output', [1]), 'workflow.bad-output');
  assert.equal(intervene(execution, 'output', { all: [1] }), 'workflow.bad-output');
  intervene(execution, 'output', { 'all.out': [1] });
  assert.equal(inner(execution), 'COMPLETED COMPLETED COMPLETED CANCELLED');
  assert.deepEqual(execution.rows.output('4', 'out'), [1]);
  const skipped = running();
  intervene(skipped, 'skip');
  assert.equal(inner(skipped), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(skipped.row('all').cause, 'skipped-by-hand');
  const failed = running();
  intervene(failed, 'fail');
  assert.equal(failed.row('all').cause, 'upstream-failed');
  assert.equal(failed.ended.status, 'FAILED');
});

test('commands that name an inner node are refused, and name its segment', () => {
  for (const execution of [started(), running()]) {
    for (const action of ['retry', 'output', 'skip', 'fail'] as const) {
      const decided = execution.send({ type: 'intervene', node: 'small', iteration: '', action, value: null });
      assert.deepEqual(decided.record!.events, [
        {
          type: 'rejected',
          code: 'workflow.in-segment',
          why: 'small runs in the segment of rows, as a part of it: name rows',
        },
      ]);
    }
    const cancel = execution.send({ type: 'cancel', reason: 'so', node: 'small' });
    assert.equal(execution.rejection(cancel), 'workflow.in-segment');
    assert.equal(execution.rejection(execution.send({ type: 'retry-from', node: 'all' })), 'workflow.in-segment');
  }
});

test('who selects a part of a segment selects it whole', () => {
  for (const [nodes, closure] of [
    [['small'], 'none'],
    [['all'], 'ancestors'],
    [['rows'], 'none'],
  ] as const) {
    const execution = new Harness(spec());
    execution.start(null, { select: { nodes, closure } });
    execution.done('rows', null);
    assert.equal(inner(execution), 'COMPLETED COMPLETED CANCELLED CANCELLED');
    assert.deepEqual([execution.row('after').cause, execution.row('told').cause], ['not-selected', 'not-selected']);
    assert.equal(execution.ended.status, 'COMPLETED');
  }
  const behind = new Harness(spec());
  behind.start(null, { select: { nodes: ['after'], closure: 'none' } });
  assert.equal(inner(behind), 'CANCELLED CANCELLED CANCELLED CANCELLED');
  assert.equal(behind.row('small').cause, 'not-selected');
  behind.done('after');
  assert.equal(behind.ended.status, 'COMPLETED');
});

test('pins: of an inner node when its segment begins to run, of the segment instead of it', () => {
  const one = new Harness(spec());
  one.start(null, { pins: { all: [7] } });
  one.grant('rows');
  assert.equal(inner(one), 'RUNNING RUNNING COMPLETED RUNNING');
  one.report('rows', { ok: true, outputs: { 'all.out': [1], 'odd.out': [] } });
  assert.deepEqual(one.rows.output('4', 'out'), [7]);
  const whole = new Harness(spec());
  whole.start(null, { pins: { rows: [7] } });
  assert.equal(inner(whole), 'COMPLETED COMPLETED COMPLETED CANCELLED');
  assert.deepEqual([whole.row('all').cause, whole.rows.output('4', 'out')], ['pinned', [7]]);
  const before = new Harness(spec());
  before.start(null, { pins: { all: [7] }, select: { nodes: ['after'], closure: 'ancestors' } });
  assert.equal(inner(before), 'CANCELLED CANCELLED COMPLETED CANCELLED', 'what is pinned needs no segment');
});

test('a patch changes nothing of a segment that has begun', () => {
  const execution = running();
  const patch = (ops: Parameters<Harness['send']>[0] & { type: 'patch' }) => execution.rejection(execution.send(ops));
  const base = { type: 'patch', baseRevision: 0 } as const;
  assert.equal(patch({ ...base, ops: [{ op: 'remove-node', id: 'small' }] }), 'workflow.node-started');
  assert.equal(patch({ ...base, ops: [{ op: 'add-node', node: { id: 'more' } }] }), undefined);
});

test('explain says which segment an inner node runs in, since when, and how much has passed', () => {
  const execution = running();
  const explain = (id: string) => execution.lifecycle.explain(execution.rows, execution.graph, id, '', execution.at);
  execution.at += 12_000;
  const nodes = {
    small: { status: 'RUNNING', in: 300, out: 200, filtered: 90, dropped: { late: 10 }, deadLetters: 0 },
  };
  tell(execution, { nodes, edges: {}, share: null });
  execution.at += 3000;
  assert.equal(
    explain('small').text,
    'small is RUNNING in the segment of rows for 15 s: 300 records in, 200 out, 90 filtered, 10 late',
  );
  assert.equal(explain('file').text, 'file is RUNNING in the segment of rows for 15 s');
  assert.deepEqual(explain('small').waitsFor, [
    { kind: 'segment', what: 'the segment of rows, which runs for 15 s', until: null },
  ]);
  tell(execution, { nodes: { small: { status: 'COMPLETED', in: 300, out: 200 } }, edges: {}, share: null });
  assert.equal(explain('small').text, 'small is COMPLETED (succeeded) for 0 ms: 300 records in, 200 out');
  assert.match(explain('all').text, /all is RUNNING in the segment of rows/);
  assert.match(
    started().lifecycle.explain(started().rows, started().graph, 'small', '', 1_000_000).text,
    /waits for rows, which is QUEUED/,
  );
});
