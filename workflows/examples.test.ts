import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import type { Json } from '../core/ids.ts';
import { seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import type { WorkflowDocument } from './document.ts';
import { createLanguage, openWorkflows } from './workflows.ts';

const language = createLanguage({
  functions: { discount: (total) => (total as number) * 0.9 },
  tasks: { charge: async (argument) => ({ charged: (argument as { readonly amount: number }).amount }) },
});
const workflows = await openWorkflows({
  log: createMemoryLog({ clock: systemClock, random: seededRandom(1) }),
  ...{ state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry(), language },
  settings: { partitions: 2 },
});
after(() => workflows.drain());

for (const type of language.catalog.types) {
  const { example } = type;
  test(`the example of ${type.name} gives what it says`, { timeout: 20_000 }, async () => {
    for (const also of example.others ?? []) await workflows.publish(also);
    const document = example.document as unknown as WorkflowDocument;
    const id = `${type.name.replaceAll('.', '-')}-example`;
    await workflows.publish({ ...document, id });
    const { execution } = await workflows.start(id, example.input);
    for (const step of example.meanwhile ?? []) await act(execution, step);
    const view = await workflows.ended(execution);
    assert.deepEqual([view.status, view.output], ['COMPLETED', example.output], JSON.stringify(view.error));
  });
}

/** What somebody does while it waits. */
async function act(execution: string, step: { readonly approve?: 'approved' | 'rejected'; readonly signal?: string; readonly value?: Json }): Promise<void> {
  if (step.signal !== undefined) {
    await workflows.signal(execution, step.signal, step.value ?? null);
    return;
  }
  for (;;) {
    const view = await workflows.execution(execution);
    const waiting = view?.nodes.find(({ wait }) => wait?.on === 'approval');
    if (waiting?.wait) {
      await workflows.approve(waiting.wait.token, step.approve!, step.value ?? null);
      return;
    }
    await systemClock.sleep(5);
  }
}
