import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import type { NodeSpec, WorkflowDocument } from '../document.ts';
import { openWorkflows } from '../open-workflows.ts';

const BIG = 'x'.repeat(200_000);
const workflows = await openWorkflows({
  log: createMemoryLog({ clock: systemClock, random: seededRandom(1) }),
  ...{ state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
  language: createLanguage({ functions: { big: () => BIG } }),
  settings: { partitions: 1 },
});
after(() => workflows.drain());

function document(id: string, nodes: readonly NodeSpec[], more: Partial<WorkflowDocument> = {}): WorkflowDocument {
  return { apiVersion: 'nodeflow/v1', id, name: id, version: '1.0.0', nodes, edges: [], ...more };
}

const big = (id: string): NodeSpec => ({ id, type: 'function', data: { config: { name: 'big' } } });

test('values that fill more than a batch of the log are written in many steps', { timeout: 240_000 }, async () => {
  const nodes = Array.from({ length: 80 }, (_, i) => big(`n${i}`));
  await workflows.publish(document('wide', nodes, { outputs: { last: '= nodes.n79.out.size()' } }));
  const { execution } = await workflows.start('wide', null);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { last: BIG.length }]);
  assert.ok((await workflows.history(execution)).length > 10);
});

test('so are those of children, whichever way they go', { timeout: 240_000 }, async () => {
  await workflows.publish(document('child', [big('a')]));
  const config = { workflow: 'child', input: '= input' };
  const children: readonly NodeSpec[] = Array.from({ length: 60 }, (_, i) => ({
    ...{ id: `c${i}`, type: 'workflow', data: { config } },
  }));
  await workflows.publish(document('family', children, { outputs: { last: '= nodes.c59.out.a.size()' } }));
  const { execution } = await workflows.start('family', BIG);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { last: BIG.length }]);
});

test('a workflow that starts itself without end fails, and harms nobody', { timeout: 240_000 }, async () => {
  const config = { workflow: 'again' };
  await workflows.publish(document('again', [{ id: 'a', type: 'workflow', data: { config } }]));
  const { execution } = await workflows.start('again', null);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'FAILED');
  assert.equal((view.error as { readonly code: string }).code, 'workflow.too-deep');
});

test('so does one that starts two of itself, and nothing of it is left', { timeout: 240_000 }, async () => {
  const config = { workflow: 'twins' };
  const twins = ['a', 'b'].map((id) => ({ id, type: 'workflow', data: { config } }));
  await workflows.publish(document('twins', twins));
  const { execution } = await workflows.start('twins', null);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'FAILED');
  assert.equal((view.error as { readonly code: string }).code, 'workflow.too-many');
  for (;;) {
    const { started, ended } = workflows.figures();
    if (started === ended) break;
    await systemClock.sleep(20);
  }
  await workflows.publish(document('small', [{ id: 'a', type: 'expression', data: { config: { value: 1 } } }]));
  const small = await workflows.start('small', null);
  assert.equal((await workflows.ended(small.execution)).status, 'COMPLETED');
});
