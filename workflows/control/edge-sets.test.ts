import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyOf, MemoryRows, type NodeRow, PENDING_ROW } from '../lifecycle/lifecycle.ts';
import { Harness, START } from '../lifecycle/testing/harness.ts';
import { MemoryStore } from './memory-rows.ts';
import { StoredRows } from './stored-rows.ts';

type Change = readonly [node: number, how: 'tell' | 'skip' | 'take-away' | 'begin-anew' | 'drop', count: number];

/** Nodes of two pages, in two iterations. */
const PLACES = [0, 1, 20].flatMap((node) => ['', '3'].map((iteration) => ({ node, iteration })));

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.tuple(
    fc.nat(PLACES.length - 1),
    fc.constantFrom('tell' as const, 'tell', 'tell', 'skip', 'take-away', 'begin-anew', 'drop'),
    fc.integer({ min: 1, max: 90 }),
  ),
  { minLength: 1, maxLength: 40 },
);

function changed(row: NodeRow, [, how, count]: Change): NodeRow {
  const first = row.told.length;
  const more = Array.from({ length: count }, (_, i) => first + i);
  if (how === 'tell') return { ...row, told: [...row.told, ...more], taken: [...row.taken, ...more] };
  if (how === 'skip') return { ...row, told: [...row.told, ...more] };
  const gone = row.told[count % Math.max(1, row.told.length)];
  const without = (edges: readonly number[]) => edges.filter((edge) => edge !== gone);
  return how === 'take-away' ? { ...row, told: without(row.told), taken: without(row.taken) } : PENDING_ROW;
}

test('rows of nodes on which many edges join are read as they were written, whatever became of them', () => {
  // a header, without which nothing is kept
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task' }], edges: [] });
  world.send(START);
  fc.assert(
    fc.property(changes, (list) => {
      const store = new MemoryStore();
      const expected = new MemoryRows();
      for (const change of list) {
        const { node, iteration } = PLACES[change[0]]!;
        const key = keyOf(node, iteration);
        const rows = new StoredRows(store, 'x');
        rows.putHeader(world.rows.header()!);
        if (change[1] === 'drop') {
          rows.dropNode(key);
          expected.dropNode(key);
        } else {
          const row = changed(expected.node(key) ?? PENDING_ROW, change);
          rows.putNode(key, row);
          expected.putNode(key, row);
        }
        rows.flush(1);
        const read = new StoredRows(store, 'x');
        for (const place of PLACES) {
          const at = keyOf(place.node, place.iteration);
          assert.deepEqual(read.node(at), expected.node(at));
        }
      }
      const all = new Map(new StoredRows(store, 'x').allNodes());
      assert.deepEqual(new Map([...all].sort()), new Map([...expected.nodes].sort()));
      for (const key of all.keys()) {
        const rows = new StoredRows(store, 'x');
        rows.dropNode(key);
        rows.flush(1);
      }
      const left = [...store.range('x\0e', 'x\0f')];
      assert.deepEqual(left, [], 'rows of edges are left behind');
    }),
    { seed: 41, numRuns: 200 },
  );
});
