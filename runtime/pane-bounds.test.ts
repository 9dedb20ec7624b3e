import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PaneBounds } from './pane-bounds.ts';

test('a changelog is wanted from the first row of its oldest pane on, as far as that is known', () => {
  const table = { position: undefined as number | undefined, list: [5, 7], panes: () => table.list };
  const bounds = new PaneBounds(table);
  const look = (position: number | undefined, ...list: readonly number[]) => {
    Object.assign(table, { position, list });
    return bounds.look();
  };
  assert.equal(look(undefined, 5, 7), 0, 'where the changelog ends is not known');
  assert.equal(look(100, 5, 7), 0, 'nobody knows where those begin');
  assert.equal(look(200, 7, 9), 0);
  assert.equal(look(300, 9, 11), 100, '9 came behind 100, 11 behind 200');
  assert.equal(look(400, 11), 200);
  assert.equal(look(500, 11, 13), 200);
  assert.equal(look(600), 600, 'none is there');
  assert.equal(look(700, 5), 600, 'one that comes again begins anew');
});
