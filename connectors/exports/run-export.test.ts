import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { type ExportRow, type ExportTarget, runExport } from '../export.ts';
import { orderLog, orders } from './orders.fixture.ts';

interface Kept extends ExportTarget {
  readonly rows: ExportRow[];
  positions: readonly number[];
}

/** Keeps rows and positions, for one export after the other. */
function kept(): Kept {
  const target: Kept = {
    description: 'kept',
    guarantee: 'exactly-once',
    rows: [],
    positions: [],
    open: async () => ({
      positions: target.positions,
      async write(rows, next) {
        target.rows.push(...rows);
        target.positions = next;
      },
      finish: async () => undefined,
      close: async () => undefined,
    }),
  };
  return target;
}

const idsOf = ({ rows }: Kept) => rows.map(({ value }) => (value as { readonly id: number }).id);

test('what comes while an export runs to the end is left to the next one', async () => {
  const { log, put } = await orderLog();
  await put(0, 1, 2);
  await put(1, 3);
  const target = kept();
  const options = { log, clock: systemClock, topic: orders, target, until: 'end' } as const;
  const { bounds } = log.admin;
  Object.assign(log.admin, {
    async bounds(name: string, partition: number) {
      const found = await bounds(name, partition);
      await put(partition, 4 + partition);
      return found;
    },
  });
  assert.deepEqual(await runExport(options), { records: 3, how: 'complete' });
  assert.deepEqual(idsOf(target).toSorted(), [1, 2, 3]);
  assert.deepEqual(target.positions, [2, 1]);
  Object.assign(log.admin, { bounds });
  assert.deepEqual(await runExport(options), { records: 2, how: 'complete' });
  assert.deepEqual(idsOf(target).toSorted(), [1, 2, 3, 4, 5]);
});
