import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage, openWorkflows, type Workflows } from '../workflows.ts';
import { ADD, using, WAIT } from './testing/session-driver.ts';

const TIMEOUT = { timeout: 240_000 };
const adding = using('adding', [ADD, WAIT], [['add', 'wait']], { ttl: '1h' });

function openHere(log: Log): Promise<Workflows> {
  return openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    ...{ language: createLanguage(), settings: { partitions: 4 } },
  });
}

async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 4000; i++) {
    const found = await ask();
    if (found) return found;
    await systemClock.sleep(5);
  }
  assert.fail('it never comes to that');
}

test('every process tells who holds a session, who waits and why, what is in it, and empties it', TIMEOUT, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const [one, other] = [await openHere(log), await openHere(log)];
  try {
    await one.publish(adding);
    for (const user of ['ann', 'bob', 'cäcilie/1']) {
      const input = (item: string) => ({ user, item });
      const [first, second] = [await one.start('adding', input('tea')), await other.start('adding', input('milk'))];
      const ids = [first.execution, second.execution];
      for (const workflows of [one, other]) {
        const held = await until(async () => {
          const found = await workflows.session('cart', user);
          return found?.waiting === 1 && found;
        });
        const holder = held.holder!.execution;
        const waits = ids.find((id) => id !== holder)!;
        const { text, waitsFor } = await workflows.explain(waits, 'add');
        assert.match(
          text,
          new RegExp(`^add has not run: it waits for the session cart of "${user}", which ${holder} holds for`),
        );
        assert.equal(waitsFor[0]?.kind, 'session');
        const view = await workflows.execution(waits);
        assert.deepEqual([view?.session?.isHeld, view?.session?.id, view?.status], [false, user, 'RUNNING']);
      }
      for (const id of ids) await other.signal(id, 'go', null);
      for (const id of ids) assert.equal((await other.ended(id)).status, 'COMPLETED');
      for (const workflows of [one, other]) {
        const found = await until(async () => {
          const view = await workflows.session('cart', user);
          return view?.holder === null && view;
        });
        assert.equal((found.values['items'] as readonly string[]).length, 2);
        assert.equal(await workflows.session('cart', user, { at: found.expiresAt! }), undefined);
      }
      const before = systemClock.now();
      await systemClock.sleep(5);
      await other.clearSession('cart', user, { by: 'ann' });
      await other.clearSession('cart', user);
      for (const workflows of [one, other])
        await until(async () => (await workflows.session('cart', user)) === undefined);
      assert.equal((await one.session('cart', user, { at: before }))?.values['visits'], 2, 'it was there then');
    }
    assert.equal(await one.session('cart', ''), undefined);
    const refused = one.start('adding', { user: 'ann', item: 'x' }, { execution: 'session:cart:ann' });
    await assert.rejects(refused, /begins as those of sessions/);
  } finally {
    await Promise.all([one.drain(), other.drain()]);
    await log.close();
  }
});
