import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage } from '../create-language.ts';
import { openWorkflows } from '../open-workflows.ts';
import type { Workflows } from '../workflows.ts';
import { instant } from './testing/schedule-driver.ts';

const newLog = () => createMemoryLog({ clock: systemClock, random: seededRandom(1) });

async function opened(body: (workflows: Workflows) => Promise<void>, log: Log = newLog()): Promise<void> {
  const workflows = await openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock },
    ...{ telemetry: silentTelemetry(), language: createLanguage(), settings: { partitions: 3 } },
  });
  try {
    await body(workflows);
  } finally {
    await workflows.drain();
  }
}

const scheduled = (cron: string) => instant({ type: 'schedule', config: { cron, timeZone: 'Europe/Berlin' } });
const at = (text: string) => Date.parse(text);

test('a backfill starts an execution for each past time, and twice is as once', () =>
  opened(async (workflows) => {
    await workflows.publish(scheduled('30 2 * * *'));
    const [from, until] = [at('2026-03-28T00:00:00Z'), at('2026-03-31T00:00:00Z')];
    const filled = await workflows.backfill('nightly', from, until);
    const names = ['28T01:30', '29T01:00', '30T00:30'].map((each) => `nightly@2026-03-${each}:00Z`);
    assert.deepEqual(
      filled.map(({ execution, existing }) => [execution, existing]),
      names.map((name) => [name, false]),
    );
    const ends = await Promise.all(names.map((name) => workflows.ended(name)));
    assert.deepEqual(
      ends.map(({ output }) => output),
      names.map((name) => ({ at: name.slice('nightly@'.length) })),
    );
    assert.deepEqual(ends[1]!.input, { schedule: { at: '2026-03-29T01:00:00Z', from: '2026-03-28T01:30:00Z' } });
    const again = await workflows.backfill('nightly', from, at('2026-04-01T00:00:00Z'));
    assert.deepEqual(
      again.map(({ existing }) => existing),
      [true, true, true, false],
    );
    for (const name of names) assert.equal((await workflows.history(name)).length, 1);
  }));

test('a backfill of nothing, of too much, and without a schedule', () =>
  opened(async (workflows) => {
    await workflows.publish(scheduled('* * * * *'));
    await assert.rejects(workflows.backfill('nightly', 0, at('2026-01-01T00:00:00Z')), /more than 10000 times/);
    await assert.rejects(workflows.backfill('nightly', 5, 5), /give until after from/);
    await assert.rejects(workflows.backfill('nightly', Number.NaN, 5), /give until after from/);
    const future = systemClock.now() + 3_600_000;
    assert.deepEqual(await workflows.backfill('nightly', future, future + 3_600_000), [], 'none is past');
    await assert.rejects(workflows.backfill('nobody', 0, 1), { code: 'workflow.unknown-definition' });
    const { triggers: _, ...plain } = scheduled('@daily');
    await workflows.publish({ ...plain, id: 'plain' });
    await assert.rejects(workflows.backfill('plain', 0, 1), { code: 'workflow.no-schedule' });
  }));

test('schedules are listed with what comes next, and stand when workflows are opened again', async () => {
  const log = newLog();
  const names = ['a', 'b', 'c', 'd', 'e'];
  await opened(async (workflows) => {
    for (const id of names) await workflows.publish({ ...scheduled('0 3 * * *'), id });
  }, log);
  await opened(async (workflows) => {
    let found = await workflows.schedules();
    while (found.length < names.length) {
      await systemClock.sleep(10);
      found = await workflows.schedules();
    }
    assert.deepEqual(found.map(({ workflow }) => workflow).sort(), names);
    const { next, ...rest } = found[0]!;
    assert.ok(next! > systemClock.now() && next! <= systemClock.now() + 25 * 3_600_000);
    assert.deepEqual({ ...rest, workflow: 'a' } as Json, {
      ...{ workflow: 'a', version: '1.0.0', cron: '0 3 * * *', timeZone: 'Europe/Berlin', overlap: 'skip' },
      ...{ catchUp: 'last', last: null, running: null, queued: 0, leftOut: 0 },
    });
  }, log);
});

test('a schedule by the second runs by itself', () =>
  opened(async (workflows) => {
    await workflows.publish(scheduled('* * * * * *'));
    const { promise, resolve } = Promise.withResolvers<string>();
    const events = workflows.feed.events({ workflow: 'nightly' }, undefined, ({ execution }) => resolve(execution));
    const execution = await promise;
    events.close();
    assert.equal((await workflows.ended(execution)).status, 'COMPLETED');
    const [schedule] = await workflows.schedules();
    assert.ok(schedule!.last! >= at(execution.slice('nightly@'.length)));
  }));
