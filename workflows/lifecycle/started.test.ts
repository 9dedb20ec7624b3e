import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, startForRecord } from './lifecycle.ts';
import type { NodeSketch } from './testing/build-graph.ts';
import { fault, Harness, START, type StartCommand } from './testing/harness.ts';

/** A segment of `rows` and `each`, which starts an execution for each record. */
function running(rows: Partial<NodeSketch> = {}, more: Partial<StartCommand> = {}): Harness {
  const execution = new Harness({
    nodes: [
      { id: 'rows', kind: 'operator', ...rows },
      { id: 'each', kind: 'inner', standIn: 'rows', starts: true },
      { id: 'all', kind: 'inner', standIn: 'rows' },
    ],
    edges: [
      { from: 'rows', to: 'each', kind: 'control' },
      { from: 'rows', to: 'all', port: 'all.out' },
    ],
  });
  execution.start(null, more);
  execution.grant('rows');
  execution.effects.length = 0;
  return execution;
}

/** What those that are open are told by all that has happened since. */
function told({ effects }: Harness): readonly Command['type'][] {
  return effects.flatMap((each) => (each.effect === 'tell-started' ? [each.command.type] : []));
}

function wanted(execution: Harness, more: Partial<StartCommand> = {}) {
  const parent = { execution: 'x', node: execution.graph.number('each')!, iteration: '' };
  return startForRecord(execution.rows, execution.graph, { ...START, forRecord: true, parent, ...more });
}

function refusal(execution: Harness): string | undefined {
  const judged = wanted(execution);
  return 'code' in judged ? judged.code : undefined;
}

test('what a node has started for records is told of a pause and of a cancel', () => {
  const execution = running({}, { mode: 'streaming' });
  execution.send({ type: 'pause' });
  execution.send({ type: 'resume' });
  assert.deepEqual(told(execution), ['pause', 'resume']);
  const { effects } = execution;
  const first = effects.find(({ effect }) => effect === 'tell-started');
  assert.deepEqual(first, { ...first, node: 1, iteration: '', first: 'x' });
  execution.send({ type: 'cancel', reason: 'enough', node: null });
  assert.equal(told(execution).at(-1), 'cancel');
});

test('no step of its parent tells how many there are, and none grows with them', () => {
  const execution = running();
  const before = JSON.stringify([...execution.rows.allNodes()]);
  for (const child of ['x/each~0-1', 'x/each~0-2']) {
    const at = { node: execution.graph.number('each')!, iteration: '' };
    const command = { type: 'child-ended', child, ...at, status: 'COMPLETED', output: 1, error: null } as const;
    assert.equal(execution.send(command).record, undefined);
  }
  assert.equal(JSON.stringify([...execution.rows.allNodes()]), before);
});

test('between two attempts of its segment, and while it is held, they go on; when it has failed for good they do not', () => {
  const again = running({ retry: { maxAttempts: 2, backoff: 'none' } });
  again.report('rows', { ok: false, error: fault('TRANSIENT') });
  assert.deepEqual(told(again), []);
  const held = running({ onError: 'hold' });
  held.report('rows', { ok: false, error: fault('PERMANENT') });
  assert.deepEqual([told(held), held.status('rows')], [[], 'PENDING']);
  held.send({ type: 'intervene', node: 'rows', iteration: '', action: 'retry', value: null });
  assert.deepEqual(told(held), ['cancel'], 'it begins anew');
  const failed = running();
  failed.report('rows', { ok: false, error: fault('PERMANENT') });
  assert.deepEqual([told(failed), failed.ended.status], [['cancel'], 'FAILED'], 'once');
});

test('at a savepoint they go on, for what goes on from there', () => {
  const execution = running({}, { mode: 'streaming' });
  execution.send({ type: 'savepoint', next: null });
  execution.report('rows', { ok: false, error: fault('SYSTEM', 'stopped') });
  assert.deepEqual([told(execution), execution.ended.status], [[], 'CANCELLED']);
});

test('one begins while its node runs, and not while it is paused, cancelled or over', () => {
  const execution = running({}, { user: 'ann', priority: 7, labels: { a: 'b' }, deadline: 2_000_000 });
  const { mode, user, priority, labels, deadline } = wanted(execution) as StartCommand;
  assert.deepEqual([mode, user, priority, labels, deadline], ['realtime', 'ann', 7, { a: 'b' }, 2_000_000]);
  assert.equal((wanted(execution, { deadline: 1_500_000 }) as StartCommand).deadline, 1_500_000);
  assert.equal((wanted(running({}, { mode: 'streaming' })) as StartCommand).mode, 'batch');
  execution.send({ type: 'pause' });
  assert.equal(refusal(execution), 'workflow.paused');
  execution.send({ type: 'resume' });
  assert.equal(refusal(execution), undefined);
  execution.send({ type: 'cancel', reason: 'enough', node: null });
  assert.equal(refusal(execution), 'workflow.stale');
  execution.report('rows', { ok: false, error: fault('PERMANENT', 'workflow.stale') });
  assert.equal(refusal(execution), 'workflow.ended');
  const held = running({ onError: 'hold' });
  held.report('rows', { ok: false, error: fault('PERMANENT') });
  assert.equal(refusal(held), 'workflow.stale');
});

test('what goes on from savepoints is no deeper within others than what was before', () => {
  const running32 = `x${'/run/~2'.repeat(31)}`;
  const starts = (execution: string) => {
    const parent = { execution, node: 1, iteration: '' };
    return wanted(running({}, { mode: 'streaming' }), { parent });
  };
  assert.equal((starts(running32) as StartCommand).mode, 'batch');
  assert.deepEqual(starts(`${running32}/run`), {
    code: 'workflow.too-deep',
    why: 'it would be the execution number 33 within each other: a workflow that starts itself has to end',
  });
});
