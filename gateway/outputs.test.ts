import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { readReference, referenceText } from '../events/events.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { openGateway } from './gateway.ts';
import { described } from './testing/described.ts';
import { FakeWorkflows } from './testing/fake-workflows.ts';

test('S2.1.b2: what stands behind /v1/outputs/ is a reference, whatever the names in it', async () => {
  const fake = new FakeWorkflows();
  const parts = { projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 };
  const gateway = await openGateway({ workflows: fake.workflows, ...parts });
  const api = await described(gateway.url);
  const get = async (path: string) => {
    const answer = await api.fetch(`/v1/${path}`);
    return { status: answer.status, body: (await answer.json()) as { readonly [name: string]: unknown } };
  };
  try {
    const places = [
      { execution: 'e1', seq: 4, at: { node: 'pay', iteration: '3.0', port: 'out' } },
      { execution: 'e1', seq: 2 ** 40, at: { node: '#7', iteration: '', port: 'a/b c?@é%2F' } },
      { execution: 'e1', seq: 9, at: null },
    ];
    for (const place of places) {
      const { status, body } = await get(`outputs/${referenceText(place)}`);
      assert.deepEqual([status, body['value'], body['schema']], [200, { total: 3 }, null]);
      assert.deepEqual(readReference(String(fake.asked.at(-1)![1])), place);
    }
    const child = await get(`outputs/${referenceText({ ...places[0]!, execution: 'e1/pay/~2' })}`);
    assert.deepEqual([child.status, child.body['code']], [404, 'workflow.unknown-output']);
    assert.equal(readReference(String(fake.asked.at(-1)![1])).execution, 'e1/pay/~2');
    assert.equal((await get('outputs/e1/x')).status, 400);
    assert.equal((await get('outputs/e1/0/pay/out')).status, 400);
    assert.equal((await get('outputs/e1')).status, 404);
    assert.deepEqual((await get('definitions/orders')).body['schemas'], { a1: { type: 'number' } });
  } finally {
    await gateway.close();
  }
});
