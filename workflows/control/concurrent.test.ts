import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { decodeStep, EVENTS_TOPIC } from '../../events/events.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage, openWorkflows } from '../workflows.ts';
import { ADD, document, tenNodes, tenNodesResult } from './testing/small-documents.ts';

const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });

async function opened() {
  return openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    ...{ language: createLanguage({ types: [ADD] }), settings: { partitions: 2 } },
  });
}

/** How many step records say that something has started. */
async function starts(): Promise<number> {
  let count = 0;
  for (const partition of [0, 1]) {
    await eachRecord(log, EVENTS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
      const { events } = decodeStep(bytes, valueStarts[i]!, valueEnds[i]!);
      count += events.filter(({ type }) => type === 'started').length;
    });
  }
  return count;
}

test('S2.1.b3: 100 starts at once with one key are one execution, and all are told of it', {
  timeout: 240_000,
}, async () => {
  const workflows = await opened();
  await workflows.publish(tenNodes());
  const before = await starts();
  const options = { idempotencyKey: 'order 7' };
  const answers = await Promise.all(Array.from({ length: 100 }, () => workflows.start('ten', 7, options)));
  assert.equal(new Set(answers.map(({ execution }) => execution)).size, 1);
  assert.equal(answers.filter(({ existing }) => !existing).length, 1);
  const { output } = await workflows.ended(answers[0]!.execution);
  assert.deepEqual(output, tenNodesResult(7));
  assert.equal((await starts()) - before, 1);
  await workflows.drain();
});

test('S1.1.d: of two patches at once one is taken, and the other is told of a conflict', {
  timeout: 240_000,
}, async () => {
  const workflows = await opened();
  await workflows.publish(document('waits', [['s', 'wait.signal', { name: 'go' }]], []));
  for (let round = 0; round < 10; round++) {
    const execution = `patched-${round}`;
    await workflows.start('waits', null, { execution });
    const ops = (id: string) => [
      { op: 'add-node', node: { id, type: 'add', data: { config: { n: 1 } } } } as const,
      { op: 'add-edge', edge: { source: 's', target: id } } as const,
    ];
    const both = await Promise.allSettled(['one', 'two'].map((id) => workflows.patch(execution, 0, ops(id))));
    const refused = both.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    assert.equal(refused.length, 1);
    assert.match(refused[0]!.message, /revision 1, the patch is for 0/);
    const won = both[0]!.status === 'fulfilled' ? 'one' : 'two';
    await workflows.signal(execution, 'go', 1);
    const view = await workflows.ended(execution);
    assert.deepEqual([view.revision, view.output], [1, { [won]: 2 }]);
  }
  await workflows.drain();
});
