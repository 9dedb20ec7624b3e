import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { WorkflowDocument } from '../document.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import type { ExecutionView } from '../workflows.ts';
import { arrived, changes, expected, put, seen, served, sums, topicsOf } from './streams.fixture.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A streaming workflow whose node starts another one, and goes on with what that gives. */
function around(id: string, inner: string, version = '1.0.0', more: Partial<WorkflowDocument> = {}): WorkflowDocument {
  const document = documentOf(
    [
      ['run', 'workflow', { workflow: inner }],
      ['given', 'expression', { value: '= value' }],
    ],
    ['run > given'],
  );
  return { ...document, id, version, mode: 'streaming', ...more };
}

/** It has done something, and waits. */
const WAITS: WorkflowDocument = {
  ...documentOf(
    [
      ['before', 'expression', { value: '= now' }],
      ['go', 'wait.signal', { name: 'go' }],
      ['both', 'expression', { value: '= value' }],
    ],
    ['before > go', 'before > both', 'go > both'],
  ),
  id: 'waits',
};

const nodeOf = (view: ExecutionView, id: string) => view.nodes.find((node) => node.id === id)!;
const isAt = (id: string, status: string) => (view: ExecutionView) => nodeOf(view, id).status === status;

test('an upgrade takes along what nodes have started: no record is lost or doubled', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await workflows.publish(sums('1.0.0'));
    await workflows.publish(around('inner', 'job'));
    await workflows.publish(around('outer', 'inner'));
    await workflows.publish(around('outer', 'inner', '2.0.0'));
    await put(log, ...range(0, 50));
    await workflows.start('outer', null, { execution: 'x', version: '1.0.0' });
    await arrived(log, 50);
    // what is published meanwhile is for those that are started anew
    await workflows.publish(sums('2.0.0', ['none', 'op.filter', { where: 'value.total < 0' }]));
    let execution = 'x';
    for (const [n, version] of ['2.0.0', '1.0.0'].entries()) {
      const upgrading = workflows.upgrade(execution, { version });
      await put(log, ...range(50 * (n + 1), 50 * (n + 2)));
      ({ execution } = await upgrading);
      await arrived(log, 50 * (n + 2));
    }
    assert.equal(execution, 'x/~3');
    const family = [
      ['x', 'x/~2', ['x/run']],
      ['x/~2', 'x/~3', ['x/run/~2']],
      ['x/run', 'x/run/~2', ['x/run/run']],
      ['x/run/run', 'x/run/run/~2', []],
    ] as const;
    for (const [id, continuedBy, executions] of family) {
      const view = (await workflows.execution(id))!;
      assert.deepEqual([view.status, view.continuedBy, view.kept!.executions], ['CANCELLED', continuedBy, executions]);
      assert.deepEqual(view.kept!.segments, id === 'x/run/run' ? ['orders'] : []);
      assert.equal((await workflows.execution(continuedBy))!.continues, id);
    }
    await workflows.end(execution);
    const { status, output, error } = await workflows.ended(execution);
    const given: Json = { given: { given: { out: null, customers: 3 } } };
    assert.deepEqual([status, output], ['COMPLETED', given], JSON.stringify(error));
    assert.equal((await workflows.execution('x/run/run/~3'))!.version, '1.0.0');
    assert.deepEqual(await changes(log), expected(range(0, 150)));
    while ((await topicsOf(log, 'x')).length > 0) await systemClock.sleep(10);
  }),
);

test('one without segments goes on with what it had done', { timeout: 240_000 }, () =>
  served(async (_, workflows) => {
    await workflows.publish(WAITS);
    await workflows.publish(around('outer', 'waits'));
    await workflows.start('outer', null, { execution: 'x' });
    const before = nodeOf(await seen(workflows, 'x/run', isAt('go', 'RUNNING')), 'before').outputs['out'];
    await systemClock.sleep(5);
    await workflows.savepoint('x');
    const { kept } = await workflows.ended('x');
    assert.deepEqual(kept, { segments: [], executions: ['x/run'] });
    const { execution } = await workflows.upgrade('x', { version: '1.0.0' });
    await seen(workflows, 'x/run/~2', isAt('go', 'RUNNING'));
    await workflows.signal('x/run/~2', 'go', 7);
    const { output } = await workflows.ended(execution);
    assert.deepEqual(output, { given: { both: { before: before!, go: 7 } } });
  }),
);

test('all or nothing: what one of them cannot keep is told, and nothing has stopped', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    const each = (inner: string) =>
      documentOf(
        [
          ['all', 'map', { items: '= [1, 2]' }],
          ['one', 'workflow', { workflow: inner }],
        ],
        [],
      );
    const within = (id: string, inner: string): WorkflowDocument => {
      const document = each(inner);
      const nodes = document.nodes.map((node) => (node.id === 'one' ? { ...node, parentId: 'all' } : node));
      return { ...document, id, mode: 'streaming', nodes };
    };
    await workflows.publish(sums('1.0.0'));
    await workflows.publish(WAITS);
    await workflows.publish(around('outer', 'job'));
    await workflows.publish(within('each', 'job'));
    await workflows.publish(within('waiting', 'waits'));
    await put(log, 1, 2, 3);
    const code = 'workflow.no-savepoint';
    await workflows.start('each', null, { execution: 'y' });
    await arrived(log, 3);
    await assert.rejects(workflows.savepoint('y'), { code, message: /one waits .* within a container .* of orders/ });
    await workflows.cancel('y');
    await workflows.ended('y');
    await workflows.start('outer', null, { execution: 'x' });
    await seen(workflows, 'x/run', isAt('orders', 'RUNNING'));
    await assert.rejects(workflows.savepoint('x/run'), { code, message: /ask for one of x, which takes it along/ });
    await workflows.pause('x/run');
    await assert.rejects(workflows.savepoint('x'), { code, message: /x\/run is paused: resume it first/ });
    await workflows.resume('x/run');
    await workflows.publish(around('outer', 'job', '3.0.0', { nodes: [WAITS.nodes[0]!], edges: [] }));
    await assert.rejects(workflows.upgrade('x', { version: '3.0.0' }), {
      code: 'workflow.not-upgradable',
      message: /run waits for an execution .* no such node in version 3.0.0: keep it there/,
    });
    for (const id of ['x', 'x/run']) assert.equal((await workflows.execution(id))!.phase, 'running');
    await workflows.start('waiting', null, { execution: 'z' });
    await seen(workflows, 'z/one@1', isAt('go', 'RUNNING'));
    await workflows.savepoint('z');
    assert.deepEqual((await workflows.ended('z')).kept, { segments: [], executions: [] });
  }),
);

test('what it holds goes when it is forgotten, or when what goes on never comes to it', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await workflows.publish(sums('1.0.0'));
    await workflows.publish(around('outer', 'job'));
    const late = around('outer', 'job', '2.0.0');
    const nodes = [{ id: 'go', type: 'wait.signal', data: { config: { name: 'go' } } }, ...late.nodes];
    await workflows.publish({ ...late, nodes, edges: [{ source: 'go', target: 'run' }, ...late.edges] });
    await put(log, 1, 2, 3);
    for (const id of ['x', 'y']) {
      await workflows.start('outer', null, { execution: id, version: '1.0.0' });
      await seen(workflows, `${id}/run`, isAt('orders', 'RUNNING'));
      await workflows.savepoint(id);
      await workflows.ended(id);
      assert.notDeepEqual(await topicsOf(log, `${id}-run`), []);
    }
    await workflows.forget('x');
    while ((await topicsOf(log, 'x-run')).length > 0) await systemClock.sleep(10);
    assert.notDeepEqual(await topicsOf(log, 'y-run'), []);
    const { execution } = await workflows.upgrade('y', { version: '2.0.0' });
    await seen(workflows, execution, isAt('go', 'RUNNING'));
    // not begun, it is there for the next one
    await workflows.savepoint(execution);
    assert.deepEqual((await workflows.ended(execution)).kept!.executions, ['y/run']);
    const next = await workflows.upgrade(execution, { version: '2.0.0' });
    await seen(workflows, next.execution, isAt('go', 'RUNNING'));
    await workflows.cancel(next.execution);
    await workflows.ended(next.execution);
    while ((await topicsOf(log, 'y-run')).length > 0) await systemClock.sleep(10);
  }),
);
