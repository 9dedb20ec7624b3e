import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { openGateway } from './gateway.ts';
import { FakeWorkflows } from './testing/fake-workflows.ts';

const KEY = 'k'.repeat(32);

test('what is refused stands in the log, with its code and who asked, and without what a query holds', async () => {
  const lines: { readonly [name: string]: unknown }[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const fake = new FakeWorkflows();
  const gateway = await openGateway({
    ...{ workflows: fake.workflows, projections: undefined, clock: systemClock, port: 0 },
    ...{ telemetry: createTelemetry({ form: 'json', sink }), apiKeys: [{ name: 'ci', key: KEY }] },
  });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  fake.failure = new FlowError('workflow.ended', 'e1 has ended');
  await fetch(`${gateway.url}/v1/executions/e1/signals/go`, { method: 'POST', headers, body: '1' });
  await fetch(`${gateway.url}/v1/executions?secret=abcdefgh`, { headers });
  await fetch(`${gateway.url}/v1/executions`);
  await gateway.close();
  assert.deepEqual(
    lines.map(({ level, method, url, status, code, by }) => [level, method, url, status, code, by]),
    [
      ['warn', 'POST', '/v1/executions/e1/signals/go', 409, 'workflow.ended', 'ci'],
      ['info', 'GET', '/v1/executions', 400, 'gateway.request', 'ci'],
      ['info', 'GET', '/v1/executions', 401, 'gateway.unauthorized', undefined],
    ],
  );
  assert.equal(lines[0]!['message'], 'a request was refused: e1 has ended');
});
