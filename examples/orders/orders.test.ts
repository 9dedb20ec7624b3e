import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Workflows } from '../../index.ts';
import { withWorkflows } from '../serve-workflows.fixture.ts';
import { done, workflows as served } from './workflows.ts';

function shop(body: (workflows: Workflows) => Promise<void>): Promise<void> {
  done.clear();
  return withWorkflows(served, body);
}

const deeds = () => [...done.values()];

test('a small order is paid and shipped; a busy bank is asked again', { timeout: 240_000 }, () =>
  shop(async (workflows) => {
    const { execution } = await workflows.start('order', { customer: 'ann', total: 80, card: 'busy-1' });
    const view = await workflows.ended(execution);
    assert.deepEqual(
      [view.status, view.output],
      [
        'COMPLETED',
        {
          receipt: { charged: true, amount: 80, receipt: `receipt of ${execution}` },
          refused: null,
          shipment: { shipped: true, customer: 'ann', receipt: `receipt of ${execution}` },
        },
      ],
    );
    assert.equal(view.nodes.find(({ id }) => id === 'pay')!.attempt, 3);
    assert.deepEqual(deeds(), ['reserved', 'charged', 'shipped']);
  }),
);

test('a large order waits for somebody, and goes on as they say', { timeout: 240_000 }, () =>
  shop(async (workflows) => {
    for (const decision of ['approved', 'rejected'] as const) {
      const { execution } = await workflows.start('order', { customer: 'bob', total: 5000, card: 'good' });
      const token = await tokenOf(workflows, execution);
      assert.match((await workflows.explain(execution, 'pay')).text, /approve/);
      await workflows.approve(token, decision, { by: 'eve' }, { by: 'eve' });
      const view = await workflows.ended(execution);
      assert.equal(view.status, 'COMPLETED');
      const paid = view.nodes.find(({ id }) => id === 'pay')!;
      assert.equal(paid.status, decision === 'approved' ? 'COMPLETED' : 'CANCELLED');
    }
    assert.deepEqual(deeds(), ['reserved', 'charged', 'shipped', 'reserved']);
  }),
);

test('what was done is undone in reverse order when a later step fails for good', { timeout: 240_000 }, () =>
  shop(async (workflows) => {
    const declined = await workflows.start('order', { customer: 'ann', total: 80, card: 'bad' });
    const first = await workflows.ended(declined.execution);
    assert.equal(first.status, 'FAILED');
    assert.match(JSON.stringify(first.error), /card-declined/);
    assert.deepEqual(deeds(), ['reserved', 'released']);
    done.clear();
    const lost = await workflows.start('order', { customer: 'nowhere', total: 80, card: 'good' });
    assert.equal((await workflows.ended(lost.execution)).status, 'FAILED');
    assert.deepEqual(deeds(), ['reserved', 'charged', 'refunded', 'released']);
  }),
);

async function tokenOf(workflows: Workflows, execution: string): Promise<string> {
  for (;;) {
    const view = await workflows.execution(execution);
    const token = view?.nodes.find(({ wait }) => wait?.on === 'approval')?.wait?.token;
    if (token !== undefined) return token;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
