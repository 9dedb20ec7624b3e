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

test('a port that is taken is said, with the cure', async () => {
  const telemetry = createTelemetry({ level: 'silent' });
  const first = await serveTelemetry(telemetry, { port: 0, ready: () => true });
  await assert.rejects(serveTelemetry(telemetry, { port: first.port, ready: () => true }), {
    code: 'config.invalid',
    message: /choose another port/,
  });
  await first.close();
});
