import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '../core/clock.ts';
import type { NamedEvent } from '../events/events.ts';
import type { ExecutionPage } from '../projections/projections.ts';
import { ADD, tenNodes, tenNodesResult } from '../workflows/control/testing/small-documents.ts';
import { createLanguage } from '../workflows/workflows.ts';
import { openEngine } from './wire.ts';
import { openWorkflowService } from './workflow-service.ts';

test('from HTTP to steps to events to lists, and after a restart again', { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-service-'));
  try {
    for (const round of [1, 2]) {
      const engine = await openEngine({ directory: folder });
      const service = await openWorkflowService({
        engine,
        language: createLanguage({ types: [ADD] }),
        settings: { partitions: 2 },
        gateway: { port: 0 },
      });
      const { url } = service.gateway!;
      const ask = async (method: string, path: string, body?: unknown) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        const answer = await fetch(`${url}${path}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
        return answer.json();
      };
      if (round === 1) await ask('POST', '/v1/definitions', tenNodes());
      const events: NamedEvent[] = [];
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events/socket?workflow=ten`);
      socket.on('message', (data) => events.push(JSON.parse(data.toString()).event));
      await new Promise((resolve) => socket.once('open', resolve));
      const { execution } = (await ask('POST', '/v1/executions', { workflow: 'ten', input: round })) as {
        execution: string;
      };
      while (!events.some(({ type }) => type === 'EXECUTION_COMPLETED')) await systemClock.sleep(5);
      assert.equal(events[0]!.type, 'EXECUTION_STARTED');
      assert.ok(events.every((event) => event.execution === execution));
      assert.equal(
        events.filter(({ type, data }) => type === 'NODE_STATE_CHANGED' && data['to'] === 'COMPLETED').length,
        10,
      );
      const { rows } = (await listed(
        async () => (await ask('GET', '/v1/executions')) as ExecutionPage,
        round,
      )) as ExecutionPage;
      assert.deepEqual([rows[0]!.id, rows[0]!.status, rows[0]!.counts], [execution, 'COMPLETED', { COMPLETED: 10 }]);
      const { rows: history } = (await ask('GET', `/v1/executions/${execution}/history`)) as {
        rows: readonly { readonly events: readonly { readonly type: string; readonly output?: unknown }[] }[];
      };
      const ended = history.flatMap((step) => step.events).find(({ type }) => type === 'ended');
      assert.deepEqual(ended?.output, tenNodesResult(round));
      socket.close();
      await service.close();
      await engine.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The read side is behind by a moment. */
async function listed(ask: () => Promise<ExecutionPage>, count: number): Promise<ExecutionPage> {
  for (;;) {
    const page = await ask();
    if (page.rows.length === count && page.rows.every(({ status }) => status === 'COMPLETED')) return page;
    await systemClock.sleep(10);
  }
}
