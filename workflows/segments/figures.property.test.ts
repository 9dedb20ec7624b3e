import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { memoryHost, runDocument } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import type { SegmentFigures } from './segments.ts';

const RUNS = 30;

const jobs = fc.record({
  items: fc.array(fc.nat(200), { maxLength: 60 }),
  every: fc.integer({ min: 2, max: 5 }),
  keyless: fc.integer({ min: 2, max: 9 }),
  keys: fc.integer({ min: 1, max: 4 }),
  least: fc.nat(100),
});

test('C.7 13: what came in is what went out, was filtered or was dropped, along each edge', async () => {
  await fc.assert(
    fc.asyncProperty(jobs, async ({ items, every, keyless, keys, least }) => {
      const document = documentOf(
        [
          ['items', 'map.items', { items: 'input' }],
          ['some', 'op.filter', { where: `value % ${every} != 0` }],
          ['by', 'op.select-key', { key: `value % ${keyless} == 0 ? null : string(value % ${keys})`, partitions: 2 }],
          ['large', 'op.filter', { where: `value >= ${least}` }],
          ['counts', 'op.aggregate', { function: 'count' }],
          ['all', 'collect', { newest: true }],
        ],
        ['items > some', 'some > by', 'by > large', 'large > counts', 'counts > all'],
      );
      const some = items.filter((value) => value % every !== 0);
      const by = some.filter((value) => value % keyless !== 0);
      const large = by.filter((value) => value >= least);
      const host = memoryHost({ tellEveryMs: 1 });
      const told: SegmentFigures[] = [];
      const { figures } = await runDocument(host, document, { input: items, progress: (each) => told.push(each) });
      await host.log.close();
      const { nodes, edges } = figures;
      const along = ['items.out>some.in', 'some.out>by.in', 'by.out>large.in', 'large.out>counts.in'];
      assert.deepEqual(
        along.map((id) => edges[id]),
        [items, some, by, large].map(({ length }) => length),
      );
      for (const id of ['items', 'some', 'by', 'large']) {
        const { in: taken, out, filtered, dropped, deadLetters } = nodes[id]!;
        const left = Object.values(dropped).reduce((sum, count) => sum + count, filtered + deadLetters);
        assert.equal(taken, out + left, id);
      }
      assert.equal(nodes['all']!.in, nodes['counts']!.out);
      assert.ok(Object.values(nodes).every(({ status }) => status === 'COMPLETED'));
      // what has passed stays so, and counters never fall
      for (const [i, before] of told.slice(0, -1).entries()) {
        const next = told[i + 1]!;
        for (const [id, { status, in: taken }] of Object.entries(before.nodes)) {
          if (status === 'COMPLETED') assert.equal(next.nodes[id]!.status, 'COMPLETED');
          assert.ok(next.nodes[id]!.in >= taken, id);
        }
      }
    }),
    { numRuns: RUNS, seed: 7 },
  );
});
