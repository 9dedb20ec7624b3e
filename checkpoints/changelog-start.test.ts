import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import type { LogAdmin } from '../log/log.ts';
import type { TaskState } from '../state/state.ts';
import { CHANGELOG_DELETE_RETENTION_MS, changelogStarts } from './changelog-start.ts';

interface Found {
  /** Where the store ends; none where there is no store. */
  readonly at?: number;
  readonly start?: number;
  readonly whole: boolean;
  readonly old?: boolean;
}

async function startOf({ at, start = 0, whole, old = false }: Found) {
  const told: string[] = [];
  const state = {
    position: () => at,
    refreshedAt: 0,
    reset: async () => void told.push('emptied'),
  };
  const [found] = await changelogStarts(
    {
      admin: { bounds: async () => ({ start, stable: 100, end: 100 }) } as unknown as LogAdmin,
      state: state as unknown as TaskState,
      partition: 0,
      now: old ? CHANGELOG_DELETE_RETENTION_MS : 0,
      onReset: (_, why) => void told.push(why),
    },
    [{ table: 'sums', changelog: 'nf.shop.sums.changelog', whole }],
  );
  return { from: found!.from, told };
}

test('a store goes on where it ends, or from the start of its changelog', async () => {
  for (const whole of [true, false]) {
    assert.deepEqual(await startOf({ whole }), { from: 0, told: [] });
    assert.deepEqual(await startOf({ whole, at: 40 }), { from: 40, told: [] });
    assert.deepEqual(await startOf({ whole, at: 40, start: 40 }), { from: 40, told: [] });
    assert.deepEqual(await startOf({ whole, at: 100, start: 30 }), { from: 100, told: [] });
    const old = await startOf({ whole, at: 40, old: true });
    assert.deepEqual([old.from, old.told.at(-1)], [0, 'emptied']);
  }
});

test('panes that have ended are trimmed away: a store that lies before is emptied and rebuilt', async () => {
  assert.deepEqual(await startOf({ whole: false, start: 30 }), { from: 30, told: [] });
  const { from, told } = await startOf({ whole: false, at: 10, start: 30 });
  assert.equal(from, 30);
  assert.deepEqual(told, ['the changelog begins at 30, the store ends at 10', 'emptied']);
});

test('a changelog that must be whole and has lost its first records rebuilds nothing, and no store is emptied', async () => {
  for (const found of [{}, { at: 10 }, { at: 200 }, { at: 60, old: true }]) {
    await assert.rejects(
      startOf({ whole: true, start: 30, ...found }),
      (thrown) =>
        isFlowError(thrown, 'state.incomplete') &&
        /nf\.shop\.sums\.changelog\/0 before position 30 are gone/.test(thrown.message),
    );
  }
});
