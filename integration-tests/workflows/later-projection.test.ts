import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import { openDatabase } from '../../database/database.ts';
import { EVENTS_TOPIC } from '../../events/events.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { followFeed, openProjections } from '../../projections/projections.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { ADD, ADD_TASK, document, tenNodes } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage, openWorkflows } from '../../workflows/workflows.ts';

test('S2.2.a: a read side that is added later holds what one holds that was there from the start', {
  timeout: 600_000,
}, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const workflows = await openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    ...{ language: createLanguage({ types: [ADD, ADD_TASK] }), settings: { partitions: 2 } },
  });
  const read = async () => {
    const projections = await openProjections(await openDatabase({ directory: undefined }));
    return { projections, following: followFeed({ feed: workflows.feed, projections, clock: systemClock }) };
  };
  const first = await read();
  await workflows.publish(tenNodes());
  await workflows.publish(tenNodes('add-task', 'tasks'));
  await workflows.publish(document('fails', [['s', 'wait.signal', { name: 'go' }]], []));
  for (let i = 0; i < 60; i++) {
    const execution = `x${i}`;
    await workflows.start(['ten', 'tasks', 'fails'][i % 3]!, i, { execution, labels: { turn: `${i % 4}` } });
    if (i % 3 === 2 && i % 2 === 0) await workflows.cancel(execution, { reason: 'enough' });
    else if (i % 3 !== 2) await workflows.ended(execution);
  }
  const later = await read();
  // what comes from now on is in both of them too
  await workflows.ended((await workflows.start('ten', 99, { execution: 'last' })).execution);
  const all = await Promise.all(
    [first, later].map(async ({ projections, following }) => {
      await following.caughtUp();
      const { rows } = await projections.list({ limit: 500 });
      const places = await Promise.all(rows.map(({ id }) => projections.place(id)));
      // one may stand before the marker of a commit, and one behind it
      for (const [partition, from] of (await projections.cursor()).entries()) {
        await eachRecord(log, EVENTS_TOPIC, partition, (_, i) => assert.fail(`step ${i} is missing`), from);
      }
      return { rows, places };
    }),
  );
  assert.equal(all[0]!.rows.length, 61);
  assert.ok(all[0]!.rows.some(({ status }) => status === 'CANCELLED'));
  assert.ok(all[0]!.rows.some(({ status }) => status === 'RUNNING'));
  assert.deepEqual(all[1], all[0]);
  for (const { projections, following } of [first, later]) {
    await following.close();
    await projections.close();
  }
  await workflows.drain();
});
