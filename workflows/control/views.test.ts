import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeStep, encodeStep, type StepRecord } from '../../events/events.ts';
import { buildGraph, patchGraph } from '../lifecycle/testing/build-graph.ts';
import { graphOf } from '../lifecycle/testing/random-graph.fixture.ts';
import { EXECUTION, World } from '../lifecycle/testing/world.ts';
import { fold, MemoryStore } from './memory-rows.ts';
import { StoredRows } from './stored-rows.ts';
import { viewOf } from './views.ts';

const RUNS = Number(process.env['NODEFLOW_SEEDS'] ?? 300);

test('the view of an execution by its step records is the view by the store of its owner, behind every step', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 31 });
  fc.assert(
    fc.property(fc.record({ seed: seeds, nodes: fc.integer({ min: 1, max: 9 }) }), seeds, (recipe, seed) => {
      const world = new World(graphOf(recipe), { seed, faults: 0.25, duplicates: 0.2, crashes: 0.1, people: 0.05 });
      world.run();
      const { lifecycle } = world;
      const graph = buildGraph(graphOf(recipe));
      const store = new MemoryStore();
      const records: StepRecord[] = [];
      for (const record of world.records) {
        records.push(decodeStep(encodeStep(record)));
        const rows = new StoredRows(store, EXECUTION);
        for (const event of record.events) lifecycle.evolve(rows, graph, record, event);
        rows.flush(record.at);
        // rows of what has ended are gone
        if (rows.header()!.phase === 'ended') continue;
        const stored = JSON.parse(JSON.stringify([...store.range('', '\uffff')])) as [string, never][];
        const own = { rows: new StoredRows(new MemoryStore(stored), EXECUTION), graph, output: null, endedAt: null };
        const folded = fold(EXECUTION, records, { lifecycle, base: graph, patch: patchGraph });
        assert.deepEqual(viewOf(folded), viewOf(own));
      }
    }),
    { numRuns: RUNS, seed: 7 },
  );
});
