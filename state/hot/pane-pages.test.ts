import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PANE, RowPages } from './pages.ts';
import { PanePages } from './pane-pages.ts';
import { Segments } from './segments.ts';

const WIDTH = 2;
const PANES = 3;

/** One step on one of the panes: rows made, the oldest or the newest of its rows released, all pages given back. */
const step = fc.record({
  pane: fc.nat(PANES - 1),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.record({ make: fc.integer({ min: 1, max: 700 }) }) },
    { weight: 4, arbitrary: fc.record({ release: fc.integer({ min: 1, max: 900 }), oldest: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant('drop' as const) },
  ),
});

test('no row belongs to two panes, whatever is released and given back between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const all = new RowPages(WIDTH);
      const panes = Array.from({ length: PANES }, () => ({ pages: new PanePages(all), rows: [] as number[] }));
      const mark = (row: number) => (row & all.mask) * all.rowWords + PANE;
      for (const { pane: number, what } of steps) {
        const pane = panes[number]!;
        if (what === 'drop') {
          pane.pages.clear();
          panes[number] = { pages: new PanePages(all), rows: [] };
        } else if ('make' in what) {
          for (let i = 0; i < what.make; i++) {
            const row = pane.pages.allocate();
            all.pages[row >>> all.shift]!.words[mark(row)] = number;
            pane.rows.push(row);
          }
        } else {
          const count = Math.min(what.release, pane.rows.length);
          const gone = what.oldest ? pane.rows.splice(0, count) : pane.rows.splice(pane.rows.length - count);
          for (const row of gone) pane.pages.release(row);
        }
      }
      const rows = panes.flatMap((pane) => pane.rows);
      assert.equal(new Set(rows).size, rows.length);
      assert.equal(all.count, rows.length);
      panes.forEach((pane, number) => {
        for (const row of pane.rows) assert.equal(all.pages[row >>> all.shift]!.words[mark(row)], number);
      });
    }),
    { seed: 3 },
  );
});

test('the pages and segments of a pane serve the next one', () => {
  const all = new RowPages(WIDTH);
  const first = new PanePages(all);
  for (let i = 0; i < 1000; i++) first.allocate();
  const pages = new Set(all.pages);
  first.clear();
  assert.equal(all.count, 0);
  const second = new PanePages(all);
  for (let i = 0; i < 1000; i++) second.allocate();
  assert.deepStrictEqual(new Set(all.pages.filter((page) => page !== undefined)), pages);

  const segments = new Segments();
  const segment = segments.take(64);
  segment.fill(7);
  segments.give(segment);
  assert.equal(segments.take(64), segment);
  assert.deepStrictEqual(segment, new Int32Array(64));
});
