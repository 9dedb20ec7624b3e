import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { document, numberType } from '../control/testing/small-documents.ts';
import { createLanguage } from '../create-language.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { openWorkflows } from '../open-workflows.ts';

/** Fails on what is no null, which it puts out. */
const WANTS_NULL = numberType('wants-null', {
  kind: 'task',
  run: async (_, inputs) => {
    const [value] = Object.values(inputs);
    if (value !== null) throw new NodeFailure('PERMANENT', 'no.null', `${JSON.stringify(value)} is no null`);
    return { out: value as Json };
  },
});

const small = (id: string, onError: string) => {
  const nodes = [
    ['n', 'wants-null', { n: 1 }],
    ['s', 'wait.signal', { name: 'go' }],
  ] as const;
  return document(id, nodes, [], { n: { onError, retry: { maxAttempts: 1 } } });
};

test('S2.2.d, S5.2.d: null is an input too, with which a node is redriven or tried again', {
  timeout: 240_000,
}, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const workflows = await openWorkflows({
    ...{ log, clock: systemClock, state: createStateBackend({}), directory: undefined, telemetry: silentTelemetry() },
    language: createLanguage({ types: [WANTS_NULL] }),
    settings: { partitions: 2 },
  });
  try {
    while (!workflows.health().ready) await systemClock.sleep(5);
    await workflows.publish(small('given-up', 'dead-letter'));
    await workflows.publish(small('held', 'hold'));
    await workflows.start('given-up', 4, { execution: 'x' });
    let id: string | undefined;
    while (id === undefined) {
      await systemClock.sleep(5);
      id = (await workflows.deadLetters()).rows[0]?.id;
    }
    await workflows.redrive(id, { change: { value: null } });
    await workflows.signal('x', 'go', 1);
    const redriven = await workflows.ended('x');
    assert.deepEqual([redriven.status, redriven.output], ['COMPLETED', { n: null, s: 1 }]);

    await workflows.start('held', 4, { execution: 'y' });
    const failures = async () =>
      (await workflows.history('y')).flatMap(({ events }) => events).filter(({ type }) => type === 'attempt-failed');
    const failed = async (times: number) => {
      while ((await failures()).length < times) await systemClock.sleep(5);
    };
    await failed(1);
    // with none it has what it had, and fails as it did
    await workflows.intervene('y', 'n', { action: 'retry' });
    await failed(2);
    await workflows.intervene('y', 'n', { action: 'retry', input: null });
    await workflows.signal('y', 'go', 1);
    const held = await workflows.ended('y');
    assert.deepEqual([held.status, held.output], ['COMPLETED', { n: null, s: 1 }]);
    assert.equal((await failures()).length, 2);
  } finally {
    await workflows.drain();
    await log.close();
  }
});
