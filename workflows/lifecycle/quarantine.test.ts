import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepEvent } from '../../events/events.ts';
import { HELD_AFTER, MAX_SYSTEM_FAILURES, PROCESS_LOST } from './lifecycle.ts';
import type { GraphSpec, NodeSketch } from './testing/build-graph.ts';
import { fault, Harness, type HarnessOptions } from './testing/harness.ts';

const LOST = fault('SYSTEM', PROCESS_LOST);

const one = (node: Partial<NodeSketch> = {}): GraphSpec => ({
  nodes: [
    { id: 'a', kind: 'task', ...node },
    { id: 'b', kind: 'inline' },
  ],
  edges: [{ from: 'a', to: 'b' }],
});

function begun(spec: GraphSpec, options: HarnessOptions = {}): Harness {
  const world = new Harness(spec, options);
  world.start();
  return world;
}

/** The process ends, and another attempt is waited for, or somebody. */
function lose(world: Harness, times: number): void {
  for (let i = 0; i < times; i++) {
    world.failed('a', LOST);
    if (world.row('a').wait === null && world.row('a').status === 'PENDING') world.fire();
  }
}

function failures(world: Harness): readonly Extract<StepEvent, { type: 'attempt-failed' }>[] {
  return world.records.flatMap(({ events }) =>
    events.flatMap((each) => (each.type === 'attempt-failed' ? [each] : [])),
  );
}

test('S5.1.c: a task that ends its processes in a row is held, with the attempts of the user whole', () => {
  const world = begun(one({ retry: { maxAttempts: 2 }, onError: 'continue' }));
  lose(world, HELD_AFTER);
  const { status, failures: failed, system, lost, wait } = world.row('a');
  assert.deepEqual([status, failed, system, lost, wait?.on], ['PENDING', 0, 0, HELD_AFTER, 'intervention']);
  const told = failures(world);
  assert.deepEqual(
    told.map(({ error, decision }) => `${error.class} ${error.code} ${decision}`),
    [...Array<string>(HELD_AFTER - 1).fill('SYSTEM workflow.process-lost retry'), 'SYSTEM workflow.quarantined hold'],
  );
  assert.match(told.at(-1)!.error.message, /^5 processes in a row have ended while a ran: it is held/);
  const { text } = world.lifecycle.explain(world.rows, world.graph, 'a', '', world.at);
  assert.match(text, /waits for an intervention: workflow\.quarantined, 5 processes in a row/);

  // by hand it is called once more, apart from others, and held at once where it ends that one too
  world.send({ type: 'intervene', node: 'a', iteration: '', action: 'retry', value: 'another' });
  world.grant('a');
  const run = world.effects.flatMap((effect) => (effect.effect === 'run' ? [effect] : [])).at(-1)!;
  assert.deepEqual([run.lost, run.inputs], [HELD_AFTER, { in: 'another' }]);
  lose(world, 1);
  assert.equal(world.row('a').wait?.on, 'intervention');
  world.send({ type: 'intervene', node: 'a', iteration: '', action: 'retry', value: null });
  // the policy counts what the task itself has failed with
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  world.done('a', 7);
  assert.deepEqual([world.ended.status, world.ended.output], ['COMPLETED', { b: 7 }]);
});

test('what is held so is supplied, skipped, failed or cancelled as what else is held', () => {
  const held = () => {
    const world = begun(one());
    lose(world, HELD_AFTER);
    return world;
  };
  const by = (action: 'output' | 'skip' | 'fail') => {
    const world = held();
    world.send({ type: 'intervene', node: 'a', iteration: '', action, value: action === 'output' ? 3 : null });
    const audited = world.records.at(-1)!.events.find(({ type }) => type === 'intervened');
    assert.equal(audited?.type === 'intervened' ? audited.by : undefined, 'ann');
    return [world.status('a'), world.ended.status];
  };
  assert.deepEqual(by('output'), ['COMPLETED', 'COMPLETED']);
  assert.deepEqual(by('skip'), ['CANCELLED', 'COMPLETED']);
  assert.deepEqual(by('fail'), ['FAILED', 'FAILED']);
  const world = held();
  world.send({ type: 'cancel', reason: 'enough', node: null });
  assert.equal(world.ended.status, 'CANCELLED');
});

test('a checkpoint, and any other end of an attempt, ends the row', () => {
  const world = begun(one({ retry: { maxAttempts: 3 } }));
  lose(world, HELD_AFTER - 1);
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  assert.equal(world.row('a').lost, 0);
  lose(world, HELD_AFTER - 1);
  world.grant('a');
  const { attempt } = world.row('a');
  world.send({ type: 'checkpoint', node: 0, iteration: '', attempt, number: 1, value: 'so far' });
  assert.equal(world.row('a').lost, 0);
  // however often: no budget is used up
  for (let number = 2; number < MAX_SYSTEM_FAILURES; number++) {
    lose(world, HELD_AFTER - 1);
    world.grant('a');
    world.send({ type: 'checkpoint', node: 0, iteration: '', attempt: world.row('a').attempt, number, value: 'more' });
  }
  lose(world, HELD_AFTER - 1);
  assert.equal(world.row('a').lost, HELD_AFTER - 1);
  world.done('a', 1);
  assert.equal(world.ended.status, 'COMPLETED');
});

test('a node says that it is not held, and fails when it has lost as many as failures of the system may be', () => {
  const world = begun(one({ quarantine: false }));
  lose(world, MAX_SYSTEM_FAILURES - 1);
  assert.deepEqual([world.row('a').lost, world.row('a').wait], [MAX_SYSTEM_FAILURES - 1, null]);
  lose(world, 1);
  assert.deepEqual([world.ended.status, world.ended.error], ['FAILED', PROCESS_LOST]);
});

test('how many processes it takes is said to the lifecycle', () => {
  const world = begun(one(), { heldAfter: 2 });
  lose(world, 2);
  assert.equal(world.row('a').wait?.on, 'intervention');
  const never = begun(one(), { heldAfter: Number.POSITIVE_INFINITY });
  lose(never, HELD_AFTER + 1);
  assert.equal(never.row('a').wait, null);
});

test('while an execution is cancelled what lost its process ends with it', () => {
  const world = begun(one());
  lose(world, HELD_AFTER - 1);
  world.grant('a');
  world.send({ type: 'cancel', reason: 'enough', node: null });
  world.failed('a', LOST);
  assert.deepEqual([world.status('a'), world.ended.status], ['CANCELLED', 'CANCELLED']);
});

test('the time that a task may run begins when it is called, which may be later where it is kept apart', () => {
  const world = begun(one({ timeouts: { runMs: 500 }, retry: { maxAttempts: 2 } }));
  const hasTimer = () => world.row('a').timers.some(({ timer }) => timer === 'run');
  world.grant('a');
  assert.ok(hasTimer());
  lose(world, 1);
  world.grant('a');
  assert.ok(!hasTimer());
  const { attempt } = world.row('a');
  world.at += 60_000;
  world.send({ type: 'called', node: 0, iteration: '', attempt });
  assert.equal(world.row('a').timers.find(({ timer }) => timer === 'run')?.due, world.at + 500);
  assert.equal(world.send({ type: 'called', node: 0, iteration: '', attempt }).record, undefined);
  const { text } = world.lifecycle.explain(world.rows, world.graph, 'a', '', world.at);
  assert.match(text, /its task, which runs for 60 s, called apart from others since it lost 1 process/);
  assert.equal(
    world.rejection(world.send({ type: 'called', node: 0, iteration: '', attempt: attempt - 1 })),
    'workflow.stale',
  );
  world.fire();
  assert.equal(failures(world).at(-1)!.error.code, 'workflow.timeout-run');
  assert.equal(world.row('a').lost, 0);
});
