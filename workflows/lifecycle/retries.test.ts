import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, Harness } from './testing/harness.ts';

const COUNT = 600;

/** Many tasks that fail once at one time, and when each of them is to run again, as the log says. */
function drawn(): { readonly waits: readonly number[]; readonly world: Harness } {
  const nodes = Array.from({ length: COUNT }, (_, i) => ({
    ...{ id: `n${i}`, kind: 'task' as const },
    retry: { maxAttempts: 3, initialMs: 1000, factor: 2, maxMs: 60_000 },
  }));
  const world = new Harness({ nodes, edges: [] });
  // looked at once, at the end: each look is at all of the records
  world.holdFold = () => undefined;
  world.start();
  for (const { id } of nodes) world.failed(id, fault('TRANSIENT'));
  const waits = world.records.flatMap(({ at, events }) =>
    events.flatMap((event) => (event.type === 'attempt-failed' ? [event.retryAt! - at] : [])),
  );
  return { waits, world };
}

test('S5.2.a: the times of the next attempts are logged, and spread evenly over the whole of the backoff', () => {
  const { waits } = drawn();
  assert.equal(waits.length, COUNT);
  assert.ok(waits.every((ms) => ms >= 0 && ms <= 1000));
  // Kolmogorov and Smirnov: how far it is from an even spread, at most, but for one case in a thousand
  const sorted = waits.toSorted((a, b) => a - b);
  const distance = Math.max(...sorted.map((ms, i) => Math.abs((i + 0.5) / COUNT - ms / 1000)));
  assert.ok(distance < 1.95 / Math.sqrt(COUNT), `${distance}`);
});

test('S5.2.a: a replay, and whoever judges the same again, has the same times', () => {
  const { waits, world } = drawn();
  assert.deepEqual(drawn().waits, waits);
  const replayed = world.fold(world.records.length);
  for (let i = 0; i < COUNT; i++) {
    assert.deepEqual(replayed.node(`${i}`)?.timers, world.rows.node(`${i}`)?.timers);
    assert.equal(replayed.node(`${i}`)?.timers[0]?.timer, 'retry');
  }
});

test('S5.1.b: a permanent failure is one attempt, however many there may be', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task', retry: { maxAttempts: 5 } }], edges: [] });
  world.start();
  world.failed('a', fault('PERMANENT', 'http.404'));
  assert.deepEqual([world.row('a').attempt, world.ended.status, world.ended.error], [1, 'FAILED', 'http.404']);
});

test('S5.1.d: a quota that says when to come again is asked again then, and not before', () => {
  const retry = { maxAttempts: 2, on: ['USER'] as const };
  const world = new Harness({ nodes: [{ id: 'a', kind: 'task', retry }], edges: [] });
  world.start();
  world.failed('a', fault('USER', 'quota'), '', 3_600_000);
  const [failed] = world.records.flatMap(({ events }) => events.filter(({ type }) => type === 'attempt-failed'));
  assert.equal(failed?.type === 'attempt-failed' && failed.retryAt, world.at + 3_600_000);
  const before = world.at;
  world.fire();
  assert.equal(world.at, before + 3_600_000);
  world.done('a', 1);
  assert.deepEqual(world.ended.output, { a: 1 });
});

test('S5.1.d: where nobody says so a quota is held or fails, with its code', () => {
  for (const onError of ['hold', 'fail'] as const) {
    const world = new Harness({ nodes: [{ id: 'a', kind: 'task', onError, retry: { maxAttempts: 5 } }], edges: [] });
    world.start();
    world.failed('a', fault('USER', 'quota'));
    if (onError === 'fail') assert.equal(world.ended.error, 'quota');
    else {
      assert.equal(world.row('a').wait?.on, 'intervention');
      const waiting = world.records.at(-1)!.events.find(({ type }) => type === 'waiting');
      assert.deepEqual(waiting?.type === 'waiting' && waiting.detail, fault('USER', 'quota'));
    }
  }
});
