import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage, openWorkflows, type Workflows } from '../workflows.ts';
import { ADD, added, document, numberType, tenNodes, tenNodesResult } from './testing/small-documents.ts';

/** Holds its tasks until a test lets them go; fails for 13. */
let goOn = Promise.withResolvers<void>();
const HELD = numberType('held', {
  kind: 'task',
  run: async (config, inputs) => {
    await goOn.promise;
    if (inputs['in'] === 13) throw new Error('not this one');
    return added(config, inputs);
  },
});

const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });

function open(): Promise<Workflows> {
  return openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    ...{ telemetry: silentTelemetry(), language: createLanguage({ types: [ADD, HELD] }) },
    settings: { partitions: 2 },
  });
}

let workflows = await open();
after(() => workflows.drain());
await workflows.publish(tenNodes());
await workflows.publish(document('held', [['a', 'held', { n: 1 }]], []));

test('a run answers how its execution has ended', async () => {
  const outcome = await workflows.run('ten', 7, { execution: 'mine' });
  const wanted = { execution: 'mine', status: 'COMPLETED', degraded: false, output: tenNodesResult(7), error: null };
  assert.deepEqual(outcome, wanted);
  const named = await workflows.run('ten', 8);
  assert.deepEqual((await workflows.ended(named.execution)).output, named.output);
});

test('a run of what is there already waits for that, whether or not it has ended', async () => {
  const first = workflows.run('held', 1, { idempotencyKey: 'once' });
  const second = workflows.run('held', 2, { idempotencyKey: 'once' });
  goOn.resolve();
  assert.deepEqual(await first, await second);
  assert.deepEqual(await workflows.run('held', 3, { idempotencyKey: 'once' }), await first);
});

test('what goes wrong is told, and what is cancelled', async () => {
  const failed = await workflows.run('held', 13);
  assert.equal(failed.status, 'FAILED');
  assert.match(failed.error!.message, /not this one/);
  goOn = Promise.withResolvers();
  const cancelled = workflows.run('held', 1, { execution: 'cancelled' });
  await until(async () => (await workflows.execution('cancelled')) !== undefined);
  await workflows.cancel('cancelled');
  assert.equal((await cancelled).status, 'CANCELLED');
});

test('a run that cannot begin fails as a start does', async () => {
  await assert.rejects(workflows.run('nothing', 1), { code: 'workflow.unknown-definition' });
  await assert.rejects(workflows.run('ten', 1, { execution: 'a/b' }), { code: 'workflow.rejected' });
});

test('the wait ends by its signal, or with the engine, and the execution goes on', async () => {
  const leaving = new AbortController();
  const left = workflows.run('held', 1, { execution: 'left', signal: leaving.signal });
  const stopped = workflows.run('held', 1, { execution: 'stopped' });
  stopped.catch(() => undefined);
  await until(async () => (await workflows.execution('left')) !== undefined);
  await until(async () => (await workflows.execution('stopped')) !== undefined);
  leaving.abort(new Error('no more'));
  await assert.rejects(left, /no more/);
  await workflows.drain();
  await assert.rejects(stopped, { code: 'stopped' });
  workflows = await open();
  goOn.resolve();
  for (const execution of ['left', 'stopped']) {
    assert.equal((await workflows.ended(execution)).status, 'COMPLETED');
    assert.equal((await workflows.run('held', 1, { execution })).status, 'COMPLETED');
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(2);
}
