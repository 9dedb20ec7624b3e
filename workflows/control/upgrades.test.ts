import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { arrived, changes, expected, put, served, sums, topicsOf } from './streams.fixture.ts';

const LARGE = ['large', 'op.filter', { where: 'value.total >= 0' }] as const;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('an upgrade goes on where the segments were: no record is lost or doubled', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await workflows.publish(sums('1.0.0'));
    await workflows.publish(sums('2.0.0', [...LARGE]));
    await put(log, ...range(0, 50));
    const { execution } = await workflows.start('job', null, { execution: 'x', version: '1.0.0', labels: { of: 'x' } });
    await arrived(log, 50);
    const upgrading = workflows.upgrade(execution, { version: '2.0.0' });
    await put(log, ...range(50, 100));
    const started = await upgrading;
    assert.deepEqual([started.execution, started.definition.version, started.existing], ['x/~2', '2.0.0', false]);
    const before = (await workflows.execution(execution))!;
    assert.deepEqual([before.status, before.phase, before.continuedBy], ['CANCELLED', 'ended', 'x/~2']);
    const after = (await workflows.execution('x/~2'))!;
    assert.deepEqual([after.continues, after.version, after.labels], ['x', '2.0.0', { of: 'x' }]);
    await put(log, ...range(100, 150));
    const again = await workflows.upgrade('x/~2', { version: '1.0.0' });
    assert.equal(again.execution, 'x/~3');
    await put(log, ...range(150, 160));
    await workflows.end('x/~3');
    const view = await workflows.ended('x/~3');
    assert.deepEqual(
      [view.status, view.output],
      ['COMPLETED', { out: null, customers: 3 }],
      JSON.stringify(view.error),
    );
    assert.deepEqual(await changes(log), expected(range(0, 160)));
  }),
);

test('an upgrade that was made is answered again; another is told what goes on', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) await workflows.publish(sums(version));
    await put(log, 1);
    await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
    await arrived(log, 1);
    const [one, two] = await Promise.all([
      workflows.upgrade('x', { version: '2.0.0', id: 'u' }),
      workflows.upgrade('x', { version: '2.0.0', id: 'u' }),
    ]);
    assert.deepEqual([one.execution, two.execution], ['x/~2', 'x/~2']);
    const again = await workflows.upgrade('x', { version: '2.0.0', id: 'u' });
    assert.deepEqual([again.execution, again.existing], ['x/~2', true]);
    await assert.rejects(workflows.upgrade('x', { version: '3.0.0' }), { code: 'workflow.ended', message: /x\/~2/ });
    await workflows.cancel('x/~2');
    await workflows.ended('x/~2');
    await assert.rejects(workflows.upgrade('x/~2', { version: '3.0.0' }), { code: 'workflow.ended' });
    while ((await topicsOf(log, 'x')).length > 0) await systemClock.sleep(5);
  }),
);

test(
  'what cannot be taken up is refused with node, difference and cure, and goes on',
  {
    timeout: 240_000,
  },
  () =>
    served(async (log, workflows) => {
      await workflows.publish(sums('1.0.0'));
      const windows = sums('2.0.0', ['spans', 'op.window.tumbling', { size: '1m' }]);
      const order = ['orders', 'by', 'spans', 'sums'];
      const others = windows.edges.filter(({ source, target }) => !order.includes(source) || !order.includes(target));
      const chain = order.slice(1).map((target, i) => ({ source: order[i]!, target }));
      await workflows.publish({ ...windows, edges: [...chain, ...others] });
      const renamed = JSON.parse(JSON.stringify(sums('3.0.0')).replaceAll('"orders"', '"bought"')) as object;
      await workflows.publish(renamed);
      const rekeyed = JSON.parse(JSON.stringify(sums('4.0.0')).replaceAll('"by"', '"of"')) as object;
      await workflows.publish(rekeyed);
      await put(log, 1);
      await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
      await arrived(log, 1);
      for (const [version, message] of [
        ['2.0.0', /orders.* store sums: .*; .*another name/],
        ['3.0.0', /orders stands for a segment that has begun, and for none in version 3.0.0: keep it/],
        ['4.0.0', /by.*records on their way in it would be lost/],
      ] as const) {
        await assert.rejects(workflows.upgrade('x', { version }), { code: 'workflow.not-upgradable', message });
      }
      await assert.rejects(workflows.upgrade('x', { version: '9.0.0' }), { code: 'workflow.unknown-definition' });
      await put(log, 4, 7);
      await arrived(log, 3);
      assert.equal((await workflows.execution('x'))!.phase, 'running');
      assert.deepEqual(await changes(log), expected([1, 4, 7]));
    }),
);

test(
  'a savepoint keeps what segments have, for an upgrade later, or until it is forgotten',
  {
    timeout: 240_000,
  },
  () =>
    served(async (log, workflows) => {
      await workflows.publish(sums('1.0.0'));
      await workflows.publish(sums('2.0.0', [...LARGE]));
      await put(log, ...range(0, 10));
      await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
      await arrived(log, 10);
      await assert.rejects(workflows.forget('x'), { code: 'workflow.no-savepoint' });
      await workflows.savepoint('x');
      const view = await workflows.ended('x');
      assert.deepEqual([view.status, view.output, view.continuedBy], ['CANCELLED', null, 'x/~2']);
      await put(log, ...range(10, 20));
      assert.deepEqual(await changes(log), expected(range(0, 10)));
      const { execution } = await workflows.upgrade('x', { version: '2.0.0' });
      await arrived(log, 20);
      assert.deepEqual(await changes(log), expected(range(0, 20)));
      await assert.rejects(workflows.forget('x'), { code: 'workflow.no-savepoint', message: /gone on as x\/~2/ });
      await workflows.savepoint(execution);
      await workflows.ended(execution);
      assert.notDeepEqual(await topicsOf(log, 'x'), []);
      await workflows.forget(execution);
      await workflows.forget(execution);
      assert.deepEqual(await topicsOf(log, 'x'), []);
      await assert.rejects(workflows.upgrade(execution, { version: '1.0.0' }), { code: 'workflow.no-savepoint' });
    }),
);
