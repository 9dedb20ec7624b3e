import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { type Clock, systemClock } from '../core/clock.ts';

import { seededRandom } from '../core/random.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { silentTelemetry } from '../telemetry/telemetry.ts';
import type { NodeExample } from './catalog.ts';
import type { WorkflowDocument } from './document.ts';
import { createLanguage, openWorkflows } from './workflows.ts';

const DAY_MS = 86_400_000;
let ahead = 0;
/** The clock of the wall, which tests put forward. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };

/** What the example of HTTP calls asks, here on the loopback. */
const server = createServer((request, response) => {
  const isRight = request.url === '/rates?currency=EUR' && request.headers.authorization === 'token';
  response.writeHead(isRight ? 200 : 400, { 'content-type': 'application/json' }).end('{"rate":2.5}');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const api = `127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => server.close());

const language = createLanguage({
  http: { allow: [api] },
  secrets: (name) => (name === 'RATES_TOKEN' ? 'token' : undefined),
  functions: { discount: (total) => (total as number) * 0.9 },
  tasks: { charge: async (argument) => ({ charged: (argument as { readonly amount: number }).amount }) },
});
const workflows = await openWorkflows({
  log: createMemoryLog({ clock, random: seededRandom(1) }),
  ...{ state: createStateBackend({}), directory: undefined, clock, telemetry: silentTelemetry(), language },
  settings: { partitions: 1 },
});
after(async () => {
  await workflows.drain();
});

for (const { example } of language.catalog.types) {
  for (const other of example.others ?? []) await workflows.publish(other);
}

// those of the data plane run in segments/examples.test.ts
const types = language.catalog.types.filter(({ behaviour }) => behaviour.kind !== 'operator');
for (const { name, behaviour, example } of types) {
  test(`the example of ${name} gives what it says`, { timeout: 240_000 }, async () => {
    const id = `${name.replaceAll('.', '-')}-example`;
    await workflows.publish({ ...(example.document as unknown as WorkflowDocument), id });
    const input = name === 'task.http' ? { ...(example.input as object), api: `http://${api}` } : example.input;
    const { execution } = await workflows.start(id, input);
    for (const step of example.meanwhile ?? []) await act(execution, step);
    if (behaviour.kind === 'delay') await pass(DAY_MS);
    const view = await workflows.ended(execution);
    assert.deepEqual([view.status, view.output], ['COMPLETED', example.output], JSON.stringify(view.error));
  });
}

/** What somebody does while it waits. */
async function act(execution: string, step: NonNullable<NodeExample['meanwhile']>[number]): Promise<void> {
  if ('signal' in step) {
    await workflows.signal(execution, step.signal, step.payload);
    return;
  }
  for (;;) {
    const view = await workflows.execution(execution);
    const waiting = view?.nodes.find(({ wait }) => wait?.on === 'approval');
    if (waiting?.wait) {
      await workflows.approve(waiting.wait.token, step.approve, step.value);
      return;
    }
    await clock.sleep(5);
  }
}

/** Puts the clock forward, and lets the engine look at it. */
async function pass(ms: number): Promise<void> {
  ahead += ms;
  await workflows.start('twice', 1);
}

test('a text that begins with = is written with two', async () => {
  const node = { id: 'a', type: 'expression', data: { config: { value: '==as it is' } } };
  const head = { apiVersion: 'nodeflow/v1', id: 'literal', name: 'Literal', version: '1.0.0' };
  await workflows.publish({ ...head, nodes: [node], edges: [] });
  const { execution } = await workflows.start('literal', null);
  assert.deepEqual((await workflows.ended(execution)).output, { a: '=as it is' });
});
