import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect } from './lifecycle.ts';
import { fault, Harness } from './testing/harness.ts';

const segment = (id: string) => ({ id, kind: 'operator' as const });
const to = (...pairs: string[]) => pairs.map((pair) => ({ from: pair.split('>')[0]!, to: pair.split('>')[1]! }));

/** `end a`, `run a` (where it is to end, `run a!`), `end x/child`: in order. */
function asked(world: Harness, effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.effect === 'send') return [`${effect.command.type} ${effect.execution}`];
    if (effect.effect !== 'end' && effect.effect !== 'run') return [];
    const isEnding = effect.effect === 'run' && effect.ending;
    return [`${effect.effect} ${world.graph.nodes[effect.node]!.id}${isEnding ? '!' : ''}`];
  });
}

function streaming(edges: readonly string[] = []): Harness {
  const world = new Harness({ nodes: ['a', 'b', 'c'].map(segment), edges: to(...edges) });
  world.start(null, { mode: 'streaming' });
  return world;
}

test('an end tells what runs, and what begins later; the execution completes with what they give', () => {
  const world = streaming(['b>c']);
  world.grant('a');
  world.send({ type: 'pause' });
  world.send({ type: 'resume' });
  assert.deepEqual(asked(world, world.send({ type: 'end' }).effects), ['end a']);
  assert.equal(world.rows.header()!.phase, 'running');
  world.grant('b');
  assert.deepEqual(asked(world, world.effects.slice(-1)), ['run b!']);
  world.done('a', 1);
  world.done('b', 2);
  world.done('c', 3);
  assert.deepEqual(world.ended, { status: 'COMPLETED', output: { a: 1, c: 3 }, error: null, degraded: false });
});

test('an attempt that is made again ends at once', () => {
  const world = new Harness({ nodes: [{ ...segment('a'), retry: { maxAttempts: 2 } }], edges: [] });
  world.start(null, { mode: 'streaming' });
  world.grant('a');
  world.send({ type: 'end' });
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  world.grant('a');
  assert.deepEqual(asked(world, world.effects.slice(-1)), ['run a!']);
});

test('an end that comes twice, by one id or another, changes nothing', () => {
  const world = streaming();
  world.grant('a');
  world.send({ type: 'end' }, 'k');
  for (const id of ['k', 'other']) {
    const { record, effects } = world.send({ type: 'end' }, id);
    assert.deepEqual([record, effects], [undefined, []]);
  }
});

test('what cannot be ended says why', () => {
  const world = new Harness({ nodes: [segment('a')], edges: [] });
  world.start(null, { mode: 'batch' });
  assert.equal(world.rejection(world.send({ type: 'end' })), 'workflow.not-streaming');
  const paused = streaming();
  paused.send({ type: 'pause' });
  assert.equal(paused.rejection(paused.send({ type: 'end' })), 'workflow.paused');
  const cancelled = streaming();
  cancelled.grant('a');
  cancelled.send({ type: 'cancel', reason: '', node: null });
  cancelled.failed('a', fault('USER'));
  assert.equal(cancelled.rejection(cancelled.send({ type: 'end' })), 'workflow.ended');
});

test('executions that were started end with who started them, and so do those that are started later', () => {
  const child = (id: string) => ({ id, kind: 'child' as const, config: { workflow: 'sub' } });
  const world = new Harness({ nodes: [child('c'), segment('a'), child('d')], edges: to('a>d') });
  world.start(null, { mode: 'streaming' });
  world.grant('a');
  assert.deepEqual(asked(world, world.send({ type: 'end' }).effects), ['end x/c', 'end a']);
  assert.deepEqual(asked(world, world.done('a').effects), ['start x/d', 'end x/d']);
});

test('an end by who started it is taken in every mode, and while it is paused', () => {
  const world = new Harness({ nodes: [segment('a'), segment('b')], edges: [] });
  world.start(null, { mode: 'batch' });
  world.grant('a');
  world.send({ type: 'pause' });
  assert.deepEqual(asked(world, world.send({ type: 'end', inherited: true }).effects), ['end a']);
  world.send({ type: 'resume' });
  world.grant('b');
  assert.deepEqual(asked(world, world.effects.slice(-1)), ['run b!']);
});
