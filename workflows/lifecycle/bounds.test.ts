import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomInt, seededRandom } from '../../core/random.ts';
import { backoff } from './backoff.ts';
import { jsonBytes } from './json-bytes.ts';
import { MAX_STEP_NODES } from './lifecycle.ts';
import { MAX_STEP_BYTES } from './limits.ts';
import type { EdgeSketch } from './testing/build-graph.ts';
import { NO_RETRY } from './testing/build-graph.ts';
import { Harness } from './testing/harness.ts';
import { graphOf } from './testing/random-graph.fixture.ts';
import { World } from './testing/world.ts';

test('C.7 16: a graph of 2,000 nodes is looked at edge by edge, once each, in steps that are bounded', () => {
  const random = seededRandom(11);
  let evaluations = 0;
  const when = () => {
    evaluations++;
    return true;
  };
  const nodes = Array.from({ length: 2000 }, (_, i) => ({ id: `n${i}` }));
  const edges: EdgeSketch[] = [];
  for (let i = 1; i < nodes.length; i++) {
    for (let k = randomInt(random, 4); k > 0; k--) edges.push({ from: `n${randomInt(random, i)}`, to: `n${i}`, when });
  }
  const world = new Harness({ nodes, edges }, { inline: () => ({ out: 1 }) });
  world.start();
  assert.equal(world.ended.status, 'COMPLETED');
  assert.equal(evaluations, edges.length);
  for (const { events } of world.records) {
    const moved = events.filter((event) => event.type === 'node').length;
    assert.ok(moved <= MAX_STEP_NODES, `${moved} nodes in one step`);
  }
});

test('C.7 17: of a map only what is in flight has rows', () => {
  const items = Array.from({ length: 40_000 }, (_, i) => i);
  const world = new Harness({
    nodes: [
      { id: 'm', kind: 'map', config: { items, concurrency: 8 } },
      { id: 'a', parent: 'm' },
      { id: 'b', parent: 'm' },
    ],
    edges: [{ from: 'a', to: 'b' }],
  });
  world.holdFold = () => assert.ok(world.rows.nodes.size <= 1 + 8 * 2, `${world.rows.nodes.size} rows`);
  world.start();
  assert.deepEqual(world.ended.output, { m: items });
});

test('C.7 14: what comes out does not hang on the order in which things happen', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const outputs = [1, 2, 3].map((way) => {
      const graph = graphOf({ seed, nodes: 1 + (seed % 7) });
      // what comes first decides a join by any, and a race against a timeout, by their nature
      const nodes = graph.nodes.map((node) => ({
        ...node,
        join:
          node.join?.policy === 'any' || node.join?.policy === 'atLeast' ? ({ policy: 'all' } as const) : node.join!,
        timeouts: {},
        config: node.kind === 'signal' ? { name: node.id } : node.config!,
      }));
      const world = new World({ ...graph, nodes }, { seed: way, faults: 0, duplicates: way / 5, crashes: way / 10 });
      world.run();
      const last = world.records.flatMap(({ events }) => events).find((event) => event.type === 'ended');
      return JSON.stringify(last);
    });
    assert.equal(outputs[1], outputs[0], `seed ${seed}`);
    assert.equal(outputs[2], outputs[0], `seed ${seed}`);
  }
});

test('bytes of a value are those of its JSON; what is no JSON is refused', () => {
  const values = [
    null,
    0,
    -0,
    1.5,
    1e300,
    true,
    '',
    'a"b\\',
    'ü漢😀',
    '\u0000',
    '\ud800',
    [],
    [1, [2]],
    {},
    { a: [], 'b"': null },
    'x'.repeat(99),
  ];
  for (const value of values) assert.equal(jsonBytes(value), Buffer.byteLength(JSON.stringify(value)), String(value));
  const deep: unknown[] = [];
  deep.push(deep);
  for (const value of [
    undefined,
    Number.NaN,
    () => 1,
    new Date(),
    { a: undefined },
    [Number.POSITIVE_INFINITY],
    deep,
    1n,
  ]) {
    assert.equal(jsonBytes(value), -1);
  }
});

test('S5.2.a: backoff is drawn evenly below what it grows to, and drawn again alike', () => {
  const retry = { ...NO_RETRY, initialMs: 1000, factor: 2, maxMs: 3000 };
  const drawn = Array.from({ length: 4000 }, (_, i) => backoff(retry, 2, `x ${i}`));
  assert.deepEqual(
    drawn,
    Array.from({ length: 4000 }, (_, i) => backoff(retry, 2, `x ${i}`)),
  );
  for (let bucket = 0; bucket < 10; bucket++) {
    const within = drawn.filter((ms) => ms >= bucket * 200 && ms < (bucket + 1) * 200).length;
    assert.ok(within > 300 && within < 500, `${within} of 4,000 in bucket ${bucket}`);
  }
  assert.ok(Math.max(...Array.from({ length: 500 }, (_, i) => backoff(retry, 9, `y ${i}`))) <= 3000);
  assert.equal(backoff({ ...retry, jitter: 'none' }, 1, 'z'), 1000);
});

test('C.7 16: what the nodes of one step put out is bounded in bytes', () => {
  const value = 'x'.repeat(100_000);
  const nodes = Array.from({ length: 100 }, (_, i) => ({ id: `n${i}` }));
  const world = new Harness({ nodes, edges: [] }, { inline: () => ({ out: value }) });
  world.start();
  assert.ok(world.records.length >= 9);
  for (const { events } of world.records) {
    const bytes = events
      .map((event) => (event.type === 'output' ? event.bytes : 0))
      .reduce((sum, each) => sum + each, 0);
    assert.ok(bytes <= MAX_STEP_BYTES + value.length + 2, `${bytes} bytes in one step`);
  }
});
