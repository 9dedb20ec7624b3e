import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEndCounts } from '../lifecycle/testing/check-log.ts';
import { ControlDriver } from './testing/control-driver.ts';
import { runWithCrashAt } from './testing/crash-at.ts';
import { ADD, added, numberType } from './testing/small-documents.ts';

/** A source that is pinned, a map over what it gives, and nodes beside and behind that are not selected. */
const PART = {
  ...{ apiVersion: 'nodeflow/v1', id: 'part', name: 'part', version: '1.0.0' },
  outputs: { each: '= nodes.each.out' },
  nodes: [
    { id: 'items', type: 'lasts', data: { config: { n: 1 } } },
    { id: 'each', type: 'map', data: { config: { items: '= value', concurrency: 2 } } },
    { id: 'add', type: 'lasts', parentId: 'each', data: { config: { n: 10 } } },
    { id: 'more', type: 'add', parentId: 'each', data: { config: { n: 1 } } },
    { id: 'behind', type: 'lasts', data: { config: { n: 1 } } },
    { id: 'beside', type: 'lasts', data: { config: { n: 1 } } },
  ],
  edges: [
    { source: 'items', target: 'each' },
    { source: 'add', target: 'more' },
    { source: 'each', target: 'behind' },
  ],
};

async function partWithCrashAt(place: number | undefined) {
  const driver = await ControlDriver.open({
    documents: [PART],
    types: (clock) => [
      ADD,
      numberType('lasts', {
        kind: 'task',
        async run(config, inputs) {
          await clock.sleep(100);
          return added(config, inputs);
        },
      }),
    ],
  });
  driver.start('x', 'part', 0, { select: { nodes: ['each'], closure: 'ancestors' }, pins: { items: [1, 2, 3, 4] } });
  return { commits: await runWithCrashAt(driver, place), driver };
}

test('S2.1.b4: a partial execution has the same end and counters, wherever it crashes, and leaves no row', async () => {
  const plain = await partWithCrashAt(undefined);
  for (let place = -1; place < plain.commits; place++) {
    const { driver } = await partWithCrashAt(place);
    const end = driver.of('x').flatMap(({ events }) => events.filter((event) => event.type === 'ended'));
    assert.deepEqual(end, [
      {
        ...{ type: 'ended', status: 'COMPLETED', degraded: false, output: { each: [12, 13, 14, 15] }, error: null },
        // the map, what it is given, and two nodes of each of four items
        counts: { COMPLETED: 10, FAILED: 0, CANCELLED: 2 },
      },
    ]);
    checkEndCounts(driver.of('x'));
    assert.deepEqual(
      [...driver.rows().range('', '\uffff')].map(([key]) => key),
      ['\0C', '\0Sdefault'],
      `a crash at ${place} leaves rows behind`,
    );
  }
});
