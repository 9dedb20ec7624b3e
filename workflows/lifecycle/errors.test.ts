import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SYSTEM_FAILURES, MAX_VALUE_BYTES } from './lifecycle.ts';
import { whenJoin } from './testing/build-graph.ts';
import { fault, Harness } from './testing/harness.ts';

const task = 'task' as const;
const to = (...pairs: string[]) => pairs.map((pair) => ({ from: pair.split('>')[0]!, to: pair.split('>')[1]! }));

test('an error edge handles a failure, and carries it', () => {
  const world = new Harness({
    nodes: [{ id: 'a', kind: task }, { id: 'ok' }, { id: 'oops' }],
    edges: [...to('a>ok'), { from: 'a', to: 'oops', kind: 'error' }],
  });
  world.start();
  world.failed('a', fault('PERMANENT', 'no'));
  assert.equal(world.states, 'a:FAILED ok:CANCELLED oops:COMPLETED');
  assert.deepEqual(world.ended.output, { oops: { class: 'PERMANENT', code: 'no', message: 'no', node: 'a' } });
});

test('a failure reads the same behind an error edge and in a catch', () => {
  const error = { ...fault('PERMANENT', 'no'), detail: { status: 404 } };
  const read = { class: 'PERMANENT', code: 'no', message: 'no', node: 'a', detail: { status: 404 } };
  const edge = new Harness({
    nodes: [{ id: 'a', kind: task }, { id: 'seen' }],
    edges: [{ from: 'a', to: 'seen', kind: 'error' }],
  });
  const within = new Harness({
    nodes: [
      { id: 'seen', kind: 'try' },
      { id: 'a', parent: 'seen', kind: task },
      { id: 'c', parent: 'seen', role: 'catch' },
    ],
    edges: [],
  });
  edge.start();
  within.start();
  edge.failed('a', error);
  within.failed('a', error, '0');
  assert.deepEqual(edge.ended.output, { seen: read });
  assert.deepEqual(within.ended.output, { seen: read });
});

test('continue goes on with null, an optional node degrades', () => {
  for (const policy of [{ onError: 'continue' as const }, { required: false }]) {
    const world = new Harness({
      nodes: [{ id: 'a', kind: task, ...policy }, { id: 'b' }, { id: 'c' }],
      edges: to('a>b'),
    });
    world.start(1);
    world.failed('a', fault('USER'));
    const isOptional = policy.required === false;
    assert.equal(world.states, `a:FAILED b:${isOptional ? 'CANCELLED' : 'COMPLETED'} c:COMPLETED`);
    const output = isOptional ? { c: 1 } : { b: null, c: 1 };
    assert.deepEqual(world.ended, { status: 'COMPLETED', output, error: null, degraded: isOptional });
  }
});

test('S5.1.c: failures of the system are counted apart', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: task, retry: { maxAttempts: 2 } }], edges: [] });
  world.start();
  for (let i = 0; i < 10; i++) {
    world.failed('a', fault('SYSTEM'));
    world.fire();
  }
  assert.equal(world.row('a').failures, 0);
  world.failed('a', fault('TRANSIENT'));
  world.fire();
  world.done('a', 1);
  assert.equal(world.ended.status, 'COMPLETED');

  const worn = new Harness({ nodes: [{ id: 'a', kind: task }], edges: [] });
  worn.start();
  for (let i = 1; i < MAX_SYSTEM_FAILURES; i++) {
    worn.failed('a', fault('SYSTEM'));
    worn.fire();
  }
  worn.failed('a', fault('SYSTEM', 'lost'));
  assert.equal(worn.ended.error, 'lost');
});

test('timeouts: in the queue, of a run, of all attempts', () => {
  const spec = (timeouts: object) => ({
    nodes: [{ id: 'a', kind: task, timeouts, retry: { maxAttempts: 9, jitter: 'none' as const } }],
    edges: [],
  });
  const queue = new Harness(spec({ queueMs: 500 }));
  queue.start();
  queue.fire();
  assert.equal(queue.row('a').cause, 'timeout-queue');

  const run = new Harness(spec({ runMs: 700, totalMs: 2500 }));
  run.start();
  run.grant('a');
  run.fire();
  assert.equal(run.row('a').cause, 'timeout-run');
  assert.ok(run.effects.some(({ effect }) => effect === 'abort'));
  run.fire();
  run.grant('a');
  run.fire();
  run.fire();
  assert.deepEqual(run.ended.error, 'workflow.timeout-total');
  assert.equal(run.at, 1_002_500);
});

test('S5.2.d: what is held waits for somebody, through a month and a new owner', () => {
  const held = () => {
    const world = new Harness({ nodes: [{ id: 'a', kind: task, onError: 'hold' }, { id: 'b' }], edges: to('a>b') });
    world.start(1);
    world.failed('a', fault('USER', 'quota'));
    assert.equal(world.row('a').wait?.on, 'intervention');
    world.rows = world.fold(world.records.length);
    world.at += 30 * 86_400_000;
    return world;
  };
  const by = (world: Harness, action: 'retry' | 'output' | 'skip' | 'fail', value: number | null) =>
    world.send({ type: 'intervene', node: 'a', iteration: '', action, value });
  const again = held();
  by(again, 'retry', 7);
  again.grant('a');
  assert.deepEqual(
    again.effects.flatMap((each) => (each.effect === 'run' ? [each.inputs] : [])),
    [{ in: 1 }, { in: 7 }],
  );
  again.done('a', 8);
  assert.deepEqual(again.ended.output, { b: 8 });
  const told = again.records.flatMap(({ events }) => events).find(({ type }) => type === 'intervened');
  assert.deepEqual(told, { type: 'intervened', node: 0, iteration: '', action: 'retry', value: 7, by: 'ann' });
  const output = held();
  by(output, 'output', 9);
  assert.deepEqual(output.ended.output, { b: 9 });
  const skipped = held();
  by(skipped, 'skip', null);
  assert.equal(skipped.states, 'a:CANCELLED b:CANCELLED');
  const failed = held();
  by(failed, 'fail', null);
  assert.equal(failed.ended.error, 'workflow.failed-by-hand');
});

test('S5.2.d: null is an input like any other, with which is gone on; none is what arrived before', () => {
  const held = () => {
    const world = new Harness({ nodes: [{ id: 'a', kind: task, onError: 'hold' }], edges: [] });
    world.start(1);
    world.failed('a', fault('USER', 'quota'));
    return world;
  };
  const inputsBy = (world: Harness) => world.effects.flatMap((each) => (each.effect === 'run' ? [each.inputs] : []));
  const retry = { type: 'intervene', node: 'a', iteration: '', action: 'retry', value: null } as const;
  const none = held();
  none.send(retry);
  none.grant('a');
  assert.deepEqual(inputsBy(none), [{ in: 1 }, { in: 1 }]);
  const given = held();
  given.send({ ...retry, given: true });
  given.grant('a');
  assert.deepEqual(inputsBy(given), [{ in: 1 }, { in: null }]);
  const told = given.records.flatMap(({ events }) => events).find(({ type }) => type === 'intervened');
  assert.deepEqual(told, { ...retry, type: 'intervened', node: 0, given: true, by: 'ann' });
  // a step by which a value was given before tells no more than it did
  const other = held();
  other.send({ ...retry, value: 7, given: true });
  const kept = other.records.flatMap(({ events }) => events).find(({ type }) => type === 'intervened');
  assert.deepEqual(kept, { ...retry, type: 'intervened', node: 0, value: 7, by: 'ann' });
});

test('S2.2.d: a dead letter is redriven with null as well', () => {
  for (const [input, arrives] of [
    [undefined, 3],
    [null, null],
  ] as const) {
    const world = new Harness({
      nodes: [
        { id: 'a', kind: task, onError: 'dead-letter' },
        { id: 'w', kind: task },
      ],
      edges: [],
    });
    world.start(3);
    world.failed('a', fault('PERMANENT'));
    const letter = world.effects.find((effect) => effect.effect === 'dead-letter');
    assert.ok(letter?.effect === 'dead-letter');
    world.send({ type: 'redrive', deadLetter: letter.id, ...(input === undefined ? {} : { input }) });
    world.rows = world.fold(world.records.length);
    world.grant('a');
    assert.deepEqual(
      world.effects.flatMap((each) => (each.effect === 'run' && each.node === 0 ? [each.inputs] : [])),
      [{ in: 3 }, { in: arrives }],
    );
  }
});

test('S2.2.d: a dead letter degrades, and is redriven once', () => {
  const world = new Harness({
    nodes: [{ id: 'a', kind: task, onError: 'dead-letter' }, { id: 'b' }, { id: 'w', kind: task }],
    edges: to('a>b'),
  });
  world.start(3);
  world.failed('a', fault('PERMANENT'));
  const letter = world.effects.find((effect) => effect.effect === 'dead-letter');
  assert.ok(letter?.effect === 'dead-letter');
  assert.deepEqual(letter.input, { in: 3 });
  assert.equal(world.states, 'a:FAILED b:CANCELLED w:QUEUED');
  world.send({ type: 'redrive', deadLetter: letter.id });
  assert.equal(world.states, 'a:QUEUED b:PENDING w:QUEUED');
  assert.equal(world.send({ type: 'redrive', deadLetter: letter.id }).record, undefined);
  world.done('a', 4);
  world.done('w', 5);
  assert.deepEqual(world.ended, { status: 'COMPLETED', output: { b: 4, w: 5 }, error: null, degraded: true });
  assert.equal(world.rejection(world.send({ type: 'redrive', deadLetter: letter.id })), 'workflow.ended');
});

test('what is held before it could begin is gone on with by hand too', () => {
  let isBroken = true;
  const seen: unknown[] = [];
  const join = whenJoin(() => {
    if (isBroken) throw new Error('no number');
    return true;
  });
  const held = () => {
    const world = new Harness(
      {
        nodes: [
          { id: 'a', kind: task },
          { id: 'b', onError: 'hold', join },
        ],
        edges: to('a>b'),
      },
      { inline: (_, __, inputs) => ({ out: seen.push(inputs['in']) }) },
    );
    world.start();
    world.done('a', 1);
    assert.deepEqual([world.status('b'), world.row('b').attempt], ['PENDING', 0]);
    return world;
  };
  const failed = held();
  failed.send({ type: 'intervene', node: 'b', iteration: '', action: 'fail', value: 'so' });
  assert.deepEqual([failed.status('b'), failed.ended.error], ['FAILED', 'workflow.failed-by-hand']);
  const again = held();
  const retry = { type: 'intervene', node: 'b', iteration: '', action: 'retry', value: 7 } as const;
  again.send(retry);
  assert.equal(again.row('b').wait?.on, 'intervention');
  isBroken = false;
  again.send(retry);
  assert.deepEqual([again.status('b'), seen], ['COMPLETED', [7]]);
});

test('compensation: in the reverse order of completion, each with what was put out', () => {
  const undone: unknown[] = [];
  const world = new Harness(
    {
      nodes: [
        { id: 'book', compensation: 'unbook' },
        { id: 'pay', kind: task, compensation: 'refund' },
        { id: 'ship', kind: task },
        { id: 'unbook' },
        { id: 'refund', kind: task },
        { id: 'never', compensation: 'unnever', kind: task },
        { id: 'unnever' },
      ],
      edges: to('book>pay', 'pay>ship', 'ship>never'),
    },
    {
      inline: (node, _, inputs) => {
        undone.push([node.id, inputs['in']]);
        return { out: 'room 7' };
      },
    },
  );
  world.start(1);
  world.done('pay', 'receipt');
  world.failed('ship', fault('PERMANENT', 'sold out'));
  assert.equal(world.rows.header()?.phase, 'compensating');
  world.grant('refund');
  assert.deepEqual(world.effects.flatMap((each) => (each.effect === 'run' ? [each.inputs] : [])).at(-1), {
    in: 'receipt',
  });
  world.done('refund');
  assert.deepEqual(undone, [
    ['book', 1],
    ['unbook', 'room 7'],
  ]);
  assert.deepEqual(world.ended, { status: 'FAILED', output: null, error: 'sold out', degraded: false });
  assert.equal(world.status('unnever'), 'PENDING');
});

test('what undoes a node that a patch put in the place of another has what that one put out', () => {
  const world = new Harness({
    nodes: [
      { id: 'first', kind: task },
      { id: 'pay', kind: task, compensation: 'refund' },
      { id: 'refund', kind: task },
      { id: 'ship', kind: task },
    ],
    edges: to('first>pay'),
  });
  world.start(1);
  const ops = [
    { op: 'remove-node', id: 'pay' },
    { op: 'add-node', node: { id: 'pay-2', kind: task, compensation: 'refund' } },
    { op: 'add-edge', edge: { from: 'first', to: 'pay-2' } },
  ];
  world.send({ type: 'patch', baseRevision: 0, ops: ops as never });
  world.done('first');
  world.done('pay-2', 'receipt');
  world.failed('ship', fault('PERMANENT', 'sold out'));
  world.grant('refund');
  const runs = world.effects.flatMap((each) => (each.effect === 'run' ? [each.inputs] : []));
  assert.deepEqual(runs.at(-1), { in: 'receipt' });
});

test('values: too large, or no JSON, are failures that name the node', () => {
  const world = new Harness(
    { nodes: [{ id: 'a' }], edges: [] },
    { inline: () => ({ out: 'x'.repeat(MAX_VALUE_BYTES) }) },
  );
  world.start();
  assert.equal(world.ended.error, 'workflow.value-too-large');
  const odd = new Harness({ nodes: [{ id: 'a' }], edges: [] }, { inline: () => ({ out: new Date() as never }) });
  odd.start();
  assert.equal(odd.ended.error, 'workflow.bad-output');
  const list = new Harness({ nodes: [{ id: 'a' }], edges: [] }, { inline: () => [1] as never });
  list.start();
  assert.equal(list.row('a').error!.message, 'a gave a list where an object of values by port is wanted');
});

for (const [what, value, code, words] of [
  ['too large', 'x'.repeat(MAX_VALUE_BYTES), 'workflow.value-too-large', /has \d+ bytes, more than 262144/],
  ['no JSON', Number.NaN, 'workflow.bad-output', /is not JSON/],
] as const) {
  test(`an answer, and the input of a child, that are ${what}, are failures too`, () => {
    const outputs = [{ name: 'sum', value: { constant: false, fill: () => value } }];
    const answering = new Harness({ nodes: [{ id: 'a' }], edges: [], outputs });
    answering.start();
    assert.equal(answering.ended.error, code);
    assert.match(answering.rows.header()!.error!.message, words);
    const config = () => ({ workflow: 'sub', input: value });
    const starting = new Harness({ nodes: [{ id: 'a', kind: 'child', config }], edges: [] });
    starting.start();
    assert.equal(starting.ended.error, code);
    assert.match(starting.row('a').error!.message, words);
    assert.ok(!starting.effects.some(({ effect }) => effect === 'send'));
  });
}

test('a deadline fails what has not ended by then', () => {
  const world = new Harness({ nodes: [{ id: 'a', kind: task }], edges: [] });
  world.start(1, { deadline: 1_000_400 });
  world.grant('a');
  world.fire();
  assert.equal(world.ended.error, 'workflow.deadline');
  assert.equal(world.row('a').cause, 'deadline');
});
