import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTelemetry, serveTelemetry } from './telemetry.ts';

test('serves metrics, health and readiness on the loopback address', async () => {
  const telemetry = createTelemetry({ level: 'silent' });
  telemetry.counter('nodeflow_records_total', 'Records.').value = 7;
  let ready = false;
  const server = await serveTelemetry(telemetry, { port: 0, ready: () => ready });
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
  const metrics = await get('/metrics');
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await metrics.text(), /^nodeflow_records_total 7$/m);
  assert.match(await (await get('/metrics?x=1')).text(), /^process_resident_memory_bytes \d+$/m);
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 503);
  ready = true;
  assert.equal((await get('/readyz')).status, 200);
  assert.equal((await get('/else')).status, 404);
  assert.equal((await get('/metrics', { method: 'POST' })).status, 405);
  await server.close();
  await assert.rejects(get('/healthz'));
});

test('what is degraded is well and not ready, and says why, without secrets', async () => {
  const telemetry = createTelemetry({ level: 'silent' });
  let degraded: string | undefined;
  let ill: string | undefined;
  const health = { ready: () => degraded === undefined, degraded: () => degraded, ill: () => ill };
  const server = await serveTelemetry(telemetry, { port: 0, ...health });
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  assert.equal(await get('/readyz'), '200 ready\n');
  degraded = 'no broker answers at user:hunter2@host, password=hunter2';
  assert.match(await get('/healthz'), /^200 degraded: no broker answers/);
  assert.match(await get('/readyz'), /^503 not ready: no broker answers/);
  assert.doesNotMatch(await get('/readyz'), /password=hunter2/);
  ill = 'worker 0 has stood still';
  assert.equal(await get('/healthz'), '503 worker 0 has stood still\n');
  await server.close();
});

test('a port that is taken is said, with the cure', async () => {
  const telemetry = createTelemetry({ level: 'silent' });
  const first = await serveTelemetry(telemetry, { port: 0, ready: () => true });
  await assert.rejects(serveTelemetry(telemetry, { port: first.port, ready: () => true }), {
    code: 'config.invalid',
    message: /choose another port/,
  });
  await first.close();
});
