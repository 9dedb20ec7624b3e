import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { openEngine } from '../../cli/wire.ts';
import { openWorkflowService } from '../../cli/workflow-service.ts';
import { systemClock } from '../../core/clock.ts';
import { described } from '../../gateway/testing/described.ts';
import { ADD, ADD_TASK } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage } from '../../workflows/workflows.ts';

const ALL = {
  ...{ apiVersion: 'nodeflow/v1', id: 'all', name: 'all', version: '1.0.0' },
  session: { name: 'cart', id: '= input.who', ttl: '1h', keys: { visits: {} } },
  nodes: [
    {
      ...{ id: 'visit', type: 'expression' },
      data: { config: { value: 1 }, session: { write: { visits: '= outputs.out' } } },
    },
    { id: 'each', type: 'map', data: { config: { items: '= [1, 2]' } } },
    { id: 'add', type: 'add-task', parentId: 'each', data: { config: { n: 10 } } },
    { id: 'go', type: 'wait.signal', data: { config: { name: 'go' } } },
  ],
  edges: [
    { source: 'visit', target: 'each' },
    { source: 'each', target: 'go' },
  ],
};

const NIGHTLY = {
  ...{ apiVersion: 'nodeflow/v1', id: 'nightly', name: 'nightly', version: '1.0.0' },
  triggers: [{ type: 'schedule', config: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } }],
  nodes: [{ id: 'a', type: 'expression', data: { config: { value: 1 } } }],
  edges: [],
};

const BAD = {
  ...{ apiVersion: 'nodeflow/v1', id: 'bad', name: 'bad', version: '1.0.0' },
  nodes: [
    { id: 'break', type: 'expression', data: { config: { value: '= 1 / input' }, policy: { onError: 'dead-letter' } } },
  ],
  edges: [],
};

test('what workflows that run answer over HTTP is as it is described', { timeout: 600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-described-'));
  const engine = await openEngine({ directory });
  const language = createLanguage({ types: [ADD, ADD_TASK] });
  const service = await openWorkflowService({ engine, language, settings: { partitions: 1 }, gateway: { port: 0 } });
  try {
    const { url } = service.gateway!;
    const api = await described(url);
    const ask = async (path: string, body?: unknown): Promise<Record<string, never>> => {
      const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const answer = await api.fetch(path, body === undefined ? {} : json);
      assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
      return (await answer.json()) as Record<string, never>;
    };
    const messages: string[] = [];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events/socket`);
    socket.on('message', (data) => messages.push(data.toString()));
    await new Promise((resolve) => socket.once('open', resolve));
    await ask('/v1/definitions/validate', { id: 'x' });
    await ask('/v1/definitions', ALL);
    await ask('/v1/definitions', BAD);
    await ask('/v1/definitions', NIGHTLY);
    const stop = new AbortController();
    const stream = await api.fetch('/v1/events?from=0', { signal: stop.signal });
    for (const path of ['/v1/definitions', '/v1/definitions/all', '/v1/node-types', '/v1/schedules']) await ask(path);
    const start = { workflow: 'all', input: { who: 'ann' }, execution: 'x', labels: { team: 'a' } };
    await ask('/v1/executions', start);
    const waits = async () => {
      const { nodes } = (await service.workflows.execution('x'))!;
      return nodes.some(({ id, wait }) => id === 'go' && wait !== null);
    };
    while (!(await waits())) await systemClock.sleep(5);
    for (const path of ['', '/at/1', '/history', '/nodes/go/explain']) await ask(`/v1/executions/x${path}`);
    await ask('/v1/sessions/cart/ann');
    for (const command of ['pause', 'resume', 'signals/go']) await ask(`/v1/executions/x/${command}`, {});
    await service.workflows.ended('x');
    await ask('/v1/executions/x');
    await ask('/v1/executions/x/history');
    await ask('/v1/executions/x/fork', { seq: 2, execution: 'y' });
    await ask('/v1/executions/y/cancel', { reason: 'enough' });
    await ask('/v1/sessions/cart/ann/clear', {});
    await ask('/v1/executions', { workflow: 'bad', input: 0, execution: 'z' });
    await service.workflows.ended('z');
    await ask('/v1/executions/z');
    const [letter] = (await ask('/v1/dead-letters'))['rows'] as readonly { readonly id: string }[];
    await ask(`/v1/dead-letters/${encodeURIComponent(letter!.id)}`);
    const past = { from: '2026-03-01T00:00:00Z', until: '2026-03-03T00:00:00Z' };
    for (const isAgain of [false, true]) {
      const rows = (await ask('/v1/schedules/nightly/backfill', past))['rows'] as unknown as { existing: boolean }[];
      assert.deepEqual(
        rows.map(({ existing }) => existing),
        [isAgain, isAgain],
      );
    }
    const [due] = (await ask('/v1/schedules'))['rows'] as unknown as { readonly next: string }[];
    assert.ok(Date.parse(due!.next) > 0);
    const listed = async () => ((await ask('/v1/executions'))['rows'] as { id: string; status: string }[]).length;
    while ((await listed()) < 5) await systemClock.sleep(20);
    const told = () => messages.filter((text) => text.includes('EXECUTION_COMPLETED')).length;
    while (told() < 5) await systemClock.sleep(5);
    for (const text of messages) api.message(text);
    let streamed = '';
    for await (const part of stream.body!.pipeThrough(new TextDecoderStream())) {
      streamed += part;
      if (streamed.split('event: EXECUTION_COMPLETED').length > 5) break;
    }
    stop.abort();
    api.stream(streamed);
    const references = messages.flatMap((text) => JSON.parse(text).event.data.reference ?? []);
    for (const reference of references) await ask(`/v1/outputs/${reference}`);
    const refused = [
      '/v1/executions/none',
      '/v1/dead-letters/none',
      '/v1/sessions/cart/none',
      '/v1/executions?limit=x',
    ];
    for (const path of refused) assert.ok((await api.fetch(path)).status >= 400, path);
    const looked = new Set([...api.seen].filter((what) => / (2\d\d|101)$/.test(what)).map((what) => what.slice(0, -4)));
    const left = api.operations.filter((operation) => operation.startsWith('get ') && !looked.has(operation));
    assert.deepEqual(left, []);
    assert.ok(api.seen.has('post /v1/schedules/{workflow}/backfill 200'));
    socket.close();
  } finally {
    await service.close();
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
