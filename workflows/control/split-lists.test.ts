import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Harness, START } from '../lifecycle/testing/harness.ts';
import { MemoryStore } from './memory-rows.ts';
import { StoredRows } from './stored-rows.ts';

type Change = readonly [how: 'add' | 'first' | 'last' | 'some' | 'none', count: number];

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.tuple(
    fc.constantFrom('add' as const, 'add', 'add', 'first', 'last', 'some', 'none'),
    fc.integer({ min: 1, max: 90 }),
  ),
  { minLength: 1, maxLength: 40 },
);

function changed(list: readonly string[], [how, count]: Change, next: () => string): readonly string[] {
  if (how === 'add') return [...list, ...Array.from({ length: count }, next)];
  if (how === 'first') return list.slice(1);
  if (how === 'last') return list.slice(0, -count);
  return how === 'some' ? list.filter((_, i) => i % 3 !== count % 3) : [];
}

test('lists of nodes in the header are read as they were written, whatever became of them', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task' }], edges: [] });
  world.send(START);
  fc.assert(
    fc.property(changes, changes, (some, others) => {
      const store = new MemoryStore();
      let ids = 0;
      const next = () => (ids++ % 2 === 0 ? `${ids}` : `${ids}@3.0`);
      let header = world.rows.header()!;
      for (let i = 0; i < Math.max(some.length, others.length); i++) {
        const { compensable, listening } = header;
        const rows = new StoredRows(store, 'x');
        header = {
          ...header,
          compensable: some[i] === undefined ? compensable : changed(compensable, some[i]!, next),
          listening: others[i] === undefined ? listening : changed(listening, others[i]!, next),
        };
        rows.putHeader(header);
        rows.flush(1);
        assert.ok(JSON.stringify(store.get('x\0h')).length < 2500, 'the header itself stays small');
        assert.deepEqual(new StoredRows(new MemoryStore(store.range('', '\uffff')), 'x').header(), {
          ...header,
          execution: 'x',
        });
      }
      const rows = new StoredRows(store, 'x');
      rows.putHeader({ ...rows.header()!, phase: 'ended' });
      rows.flush(2);
      assert.deepEqual(store.range('', '\uffff'), []);
    }),
    { seed: 43, numRuns: 200 },
  );
});
