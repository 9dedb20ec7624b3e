import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkflowDocument } from '../document.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { started, until } from './records.fixture.ts';
import { changes, expected, put, served, sums } from './streams.fixture.ts';

/** What is started for each order: it waits for a word, and answers with the order. */
const WAITS: WorkflowDocument = {
  ...documentOf(
    [
      ['word', 'wait.signal', { name: 'go' }],
      ['order', 'expression', { value: '= input' }],
    ],
    ['word > order'],
  ),
  id: 'waits',
  outputs: { total: '= nodes.order.out.total' },
};

const EACH = ['each', 'op.workflow', { workflow: 'waits', concurrency: 20 }] as const;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test(
  'an upgrade meets what is in flight: it runs on, and its answer is taken by what goes on',
  { timeout: 240_000 },
  () =>
    served(async (log, workflows) => {
      await workflows.publish(WAITS);
      for (const version of ['1.0.0', '2.0.0']) await workflows.publish(sums(version, [...EACH]));
      await put(log, ...range(0, 30));
      await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
      await until(async () => (await started(log, 'x')).open.size === 30);
      await workflows.upgrade('x', { version: '2.0.0' });
      const { ids, open } = await started(log, 'x');
      assert.deepEqual([ids.size, open.size], [30, 30]);
      for (const id of ids) await workflows.signal(id, 'go', null);
      await workflows.end('x/~2');
      const view = await workflows.ended('x/~2');
      assert.deepEqual(
        [view.status, view.output],
        ['COMPLETED', { out: null, customers: 3 }],
        JSON.stringify(view.error),
      );
      const after = await started(log, 'x');
      assert.deepEqual([after.ids.size, after.starts, after.open.size], [30, 30, 0]);
      const sorted = (all: { readonly [customer: string]: readonly number[] }) =>
        Object.entries(all).map(([customer, each]) => [customer, each.length, each.at(-1)]);
      assert.deepEqual(sorted(await changes(log)).sort(), sorted(expected(range(0, 30))).sort());
    }),
);

test('and a cancel of what goes on reaches it', { timeout: 240_000 }, () =>
  served(async (log, workflows) => {
    await workflows.publish(WAITS);
    for (const version of ['1.0.0', '2.0.0']) await workflows.publish(sums(version, [...EACH]));
    await put(log, ...range(0, 10));
    await workflows.start('job', null, { execution: 'x', version: '1.0.0' });
    await until(async () => (await started(log, 'x')).open.size === 10);
    await workflows.upgrade('x', { version: '2.0.0' });
    await until(async () => (await workflows.execution('x/~2'))?.nodes[0]?.status === 'RUNNING');
    await workflows.cancel('x/~2');
    await workflows.ended('x/~2');
    await until(async () => (await started(log, 'x')).open.size === 0);
    const { ids, statuses } = await started(log, 'x');
    assert.deepEqual([ids.size, new Set(statuses.values())], [10, new Set(['CANCELLED'])]);
  }),
);
