import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { openGateway } from '../gateway/gateway.ts';
import { FakeWorkflows } from '../gateway/testing/fake-workflows.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import { say } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-session-'));
after(() => rmSync(cwd, { recursive: true }));

test('a session is shown and emptied', async () => {
  const fake = new FakeWorkflows();
  const parts = { projections: undefined, telemetry: silentTelemetry(), clock: systemClock, port: 0 };
  const gateway = await openGateway({ ...parts, workflows: fake.workflows });
  const run = (...words: readonly string[]) => say(cwd, ['session', ...words], { NODEFLOW_GATEWAY_URL: gateway.url });
  try {
    assert.deepEqual((await run('show', 'cart', 'ann')).out, [
      'cart of ann: held by e1 since 1970-01-01T00:00:01.000Z, 2 waiting',
      '  items: ["tea"]',
    ]);
    assert.equal(JSON.parse((await run('show', 'cart', 'ann', '--json')).out[0]!).seq, 4);
    await run('show', 'cart', 'ann', '--at', '1970-01-01T00:00:02Z');
    assert.deepEqual((await run('clear', 'cart', 'ann')).out, ['the session cart of ann is empty']);
    assert.deepEqual(fake.asked.slice(2), [
      ['session', 'cart', 'ann', { at: 2000 }],
      ['clearSession', 'cart', 'ann', {}],
    ]);
    const unknown = await run('show', 'cart', 'bob/1');
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.err.join('\n'), /nothing is kept of the session cart of bob\/1/);
    assert.match((await run('dance', 'cart', 'ann')).err.join('\n'), /no action dance; see nodeflow help session/);
    assert.match((await run('show', 'cart', 'ann', '--at', 'noon')).err.join('\n'), /--at is no time: noon/);
  } finally {
    await gateway.close();
  }
});
