import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../core/ids.ts';
import { MemoryRows } from '../lifecycle/lifecycle.ts';
import { Harness, START } from '../lifecycle/testing/harness.ts';
import { MemoryStore } from './memory-rows.ts';
import { StoredRows } from './stored-rows.ts';

function header(isPartial: boolean, hasPins: boolean) {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task' }], edges: [] });
  world.send(START);
  return { ...world.rows.header()!, isPartial, hasPins };
}

const selections = fc.uniqueArray(fc.nat(3000), { maxLength: 400 }).map((list) => list.sort((a, b) => a - b));
const pinned = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][a-z.-]{0,3}$/), fc.jsonValue()), {
  selector: ([id]) => id,
  maxLength: 20,
});

test('what was selected and pinned is read as it was told, and written once', () => {
  fc.assert(
    fc.property(selections, pinned, (selected, list) => {
      const pins = Object.fromEntries(list) as { readonly [id: string]: Json };
      const store = new MemoryStore();
      const expected = new MemoryRows();
      const first = new StoredRows(store, 'x');
      first.putHeader(header(true, true));
      for (const rows of [first, expected]) {
        rows.putSelection(selected);
        rows.putPins(pins);
      }
      first.flush(1);
      const read = new StoredRows(new MemoryStore(JSON.parse(JSON.stringify(store.range('', '\uffff')))), 'x');
      for (const rows of [first, read]) {
        for (let node = 0; node <= 3001; node++) assert.equal(rows.isSelected(node), expected.isSelected(node));
        for (const id of [...Object.keys(pins), 'none', 'constructor'])
          assert.deepEqual(rows.pin(id), expected.pin(id));
        assert.deepEqual(new Map([...rows.pins()].sort()), new Map([...expected.pins()].sort()));
      }
      const puts: string[] = [];
      const put = store.put.bind(store);
      store.put = (key, value) => {
        puts.push(key);
        put(key, value);
      };
      const later = new StoredRows(store, 'x');
      later.isSelected(0);
      later.putHeader({ ...later.header()!, seq: 9 });
      later.flush(2);
      assert.deepEqual(puts, ['x\0h']);
    }),
    { seed: 42, numRuns: 100 },
  );
});

/** A header as it was written before what was selected and pinned had rows of its own, and counters of what is gone. */
function oldHeader(): Json[] {
  const store = new MemoryStore();
  const rows = new StoredRows(store, 'x');
  rows.putHeader(header(false, false));
  rows.flush(1);
  const list = [...(store.get('x\0h') as readonly Json[])].slice(0, 32);
  list[20] = [0, 2, 3, 700];
  list[21] = { pay: { paid: true }, none: null };
  return list;
}

test('a header that holds what was selected and pinned is read, and gives it rows of its own', () => {
  const store = new MemoryStore([['x\0h', oldHeader()]]);
  for (let step = 0; step < 3; step++) {
    const rows = new StoredRows(store, 'x');
    const { isPartial, hasPins, past } = rows.header()!;
    assert.deepEqual([isPartial, hasPins, past], [true, true, null]);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 700, 701].filter((node) => rows.isSelected(node)),
      [0, 2, 3, 700],
    );
    assert.deepEqual([rows.pin('pay'), rows.pin('none'), rows.pin('other')], [{ paid: true }, null, undefined]);
    rows.flush(step + 2);
    const written = store.get('x\0h') as readonly Json[];
    assert.deepEqual([written[20], written[21], written[32]], [1, 1, null]);
  }
  assert.deepEqual(
    store.range('x\0c', 'x\0j').map(([key]) => key),
    ['x\0c0', 'x\0c1', 'x\0h', 'x\0inone', 'x\0ipay'],
  );
  // whoever began before transitions of what is gone were counted does not tell counters
  const rows = new StoredRows(store, 'x');
  rows.putHeader({ ...rows.header()!, phase: 'ended' });
  rows.flush(9);
  assert.deepEqual(store.range('', '\uffff'), []);
});
