import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import type { NodeType } from '../catalog.ts';
import { ControlDriver } from './testing/control-driver.ts';
import { layers, listSchedule, recorded, type Shaped, shapedDocument } from './testing/scientific.ts';
import { document, numberType } from './testing/small-documents.ts';

/** Takes as many milliseconds of the virtual clock as its number says. */
const lasting = (clock: { sleep(ms: number): Promise<boolean> }): readonly NodeType[] => [
  numberType('lasts', {
    kind: 'task',
    async run(config) {
      const { n } = config as { readonly n: number };
      await clock.sleep(n);
      return { out: n };
    },
  }),
];

const SEED = 17;
const FULL = recorded('montage');

async function replay(
  shaped: Shaped,
  slots: number,
): Promise<{ readonly driver: ControlDriver; readonly took: number }> {
  const driver = await ControlDriver.open({
    documents: [shapedDocument('shaped', shaped, 'lasts')],
    ...{ types: lasting, slots },
  });
  driver.start('x', 'shaped');
  const took = await driver.finish();
  assert.equal(driver.ended('x').status, 'COMPLETED');
  return { driver, took };
}

const once = replay(FULL, 32);

test('S1.1.b: of 2,122 tasks each edge is told once, and each task runs behind all that it hangs on', async () => {
  assert.equal(FULL.nodes.length, 2122);
  const { driver } = await once;
  const { nodes, edges } = driver.graph('shaped');
  assert.equal(edges.length, FULL.links.length);
  const told = new Map<number, number>();
  const ended = new Set<number>();
  const begun = new Set<number>();
  for (const { events } of driver.of('x')) {
    for (const event of events) {
      if (event.type === 'delivered') {
        for (const edge of [...event.taken, ...event.skipped]) told.set(edge, (told.get(edge) ?? 0) + 1);
      }
      if (event.type !== 'node') continue;
      if (event.to === 'COMPLETED') ended.add(event.node);
      if (event.to !== 'RUNNING') continue;
      begun.add(event.node);
      for (const edge of nodes[event.node]!.incoming) {
        assert.ok(ended.has(edges[edge]!.source), `${edges[edge]!.id}: its target runs too early`);
      }
    }
  }
  assert.equal(begun.size, 2122);
  assert.equal(told.size, edges.length);
  assert.ok([...told.values()].every((times) => times === 1));
});

for (const [name, shaped, slots] of [
  ['a mosaic of the sky of 2,122 tasks, as it was recorded,', FULL, 32],
  ['genomes, as they were recorded,', recorded('genome'), 8],
  ['epigenomes, as they were recorded,', recorded('epigenomics'), 5],
  ['layers', layers(seededRandom(SEED)), 6],
  ['layers, one at a time', layers(seededRandom(SEED), 6, 10), 1],
] as const) {
  test(`S1.1.c: ${name} takes at most 5 % longer than by list scheduling`, async (t) => {
    const { took } = await (shaped === FULL ? once : replay(shaped, slots));
    const bound = listSchedule(shaped, slots);
    t.diagnostic(`${took} ms, by list scheduling ${bound} ms`);
    assert.ok(took <= bound * 1.05, `${took} ms of ${bound} ms`);
    assert.ok(took >= bound * 0.7, 'it would be quicker than can be');
  });
}

test('S1.1.c: two branches of 500 ms with two slots take less than 700 ms', async () => {
  const nodes = ['a', 'b', 'c', 'd'].map((id) => [id, 'lasts', { n: id < 'c' ? 500 : 0 }] as const);
  const driver = await ControlDriver.open({ documents: [document('two', nodes, ['a c', 'b c'])], types: lasting });
  driver.start('x', 'two');
  assert.equal(await driver.finish(), 500);
});

test('S1.1.c: what waits holds no slot', async () => {
  const waits = [
    ['delay', 'delay', { for: '1h' }],
    ['signal', 'wait.signal', { name: 'go' }],
    ['human', 'wait.human', { title: 'well?' }],
    ['retries', 'fails', { n: 1 }],
    ['child', 'workflow', { workflow: 'inner' }],
    ['task', 'lasts', { n: 500 }],
  ] as const;
  const fails = numberType('fails', {
    kind: 'task',
    run: async (_, __, { attempt }) => (attempt === 1 ? Promise.reject(new Error('not yet')) : { out: 1 }),
  });
  const outer = document('outer', waits, [], { retries: { retry: { maxAttempts: 2, initial: '1h', jitter: 'none' } } });
  const driver = await ControlDriver.open({
    documents: [outer, document('inner', [['in', 'wait.signal', { name: 'go' }]], [])],
    types: (clock) => [...lasting(clock), fails],
    slots: 1,
  });
  driver.start('x', 'outer');
  await driver.settle();
  assert.equal(driver.status('x', 'retries'), 'PENDING');
  for (const waiting of ['delay', 'signal', 'human', 'child']) assert.equal(driver.status('x', waiting), 'RUNNING');
  // the one slot is the task's, and free behind it
  assert.equal(driver.status('x', 'task'), 'RUNNING');
  for (const until = driver.clock.now() + 500; await driver.next(until); );
  assert.equal(driver.status('x', 'task'), 'COMPLETED');
  assert.deepEqual(driver.rows().get('\0Sdefault'), [0, 0, '']);
});
