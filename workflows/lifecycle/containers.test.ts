import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import { MAX_VALUE_BYTES } from './lifecycle.ts';
import { fault, Harness } from './testing/harness.ts';

const task = 'task' as const;

test('a map runs its children for each item, keeps the order, and never more at once than it may', () => {
  const world = new Harness({
    nodes: [
      { id: 'm', kind: 'map', config: ({ input }) => ({ items: input as Json, concurrency: 2 }) },
      { id: 't', kind: task, parent: 'm', config: ({ item, index }) => [item, index] as Json },
    ],
    edges: [],
  });
  world.start(['x', 'y', 'z']);
  const queued = () => ['0', '1', '2'].filter((i) => world.status('t', i) === 'QUEUED').join('');
  assert.equal(queued(), '01');
  world.done('t', 'Y', '1');
  assert.equal(queued(), '02');
  assert.equal(world.rows.node('1@1'), undefined);
  world.done('t', 'Z', '2');
  world.grant('t', '0');
  assert.deepEqual(
    world.effects.flatMap((e) => (e.effect === 'run' ? [e.config] : [])),
    [
      ['y', 1],
      ['z', 2],
      ['x', 0],
    ],
  );
  world.done('t', 'X', '0');
  assert.deepEqual(world.ended.output, { m: ['X', 'Y', 'Z'] });
});

test('an item that fails: fails the map, is null, or is left out', () => {
  for (const [onItemFailure, output] of [
    ['null', { m: [0, null, 2] }],
    ['omit', { m: [0, 2] }],
    ['fail', null],
  ] as const) {
    const inline = (_: unknown, __: unknown, inputs: { readonly [port: string]: Json }) => {
      if (inputs['in'] === 1) throw new Error('one');
      return { out: inputs['in']! };
    };
    const world = new Harness(
      {
        nodes: [
          { id: 'm', kind: 'map', config: { items: [0, 1, 2], onItemFailure } },
          { id: 'a', parent: 'm' },
        ],
        edges: [],
      },
      { inline },
    );
    world.start();
    assert.deepEqual(world.ended.output, output, onItemFailure);
    assert.equal(world.ended.status, output === null ? 'FAILED' : 'COMPLETED');
  }
});

test('a loop hands on what its last round gave, and has a limit', () => {
  const loop = (rounds: number, max: number) => {
    const world = new Harness(
      {
        nodes: [
          { id: 'l', kind: 'loop', config: ({ iteration }) => ({ while: (iteration as number) < rounds, max }) },
          { id: 'a', parent: 'l' },
        ],
        edges: [],
      },
      { inline: (_, __, inputs) => ({ out: (inputs['in'] as number) * 2 }) },
    );
    world.start(1);
    return world.ended;
  };
  assert.deepEqual(loop(5, 10).output, { l: 32 });
  assert.deepEqual(loop(0, 10).output, { l: 1 });
  assert.equal(loop(5, 4).error, 'workflow.loop-limit');
});

test('what fails in a try is caught, and finally comes whatever came before', () => {
  const seen: string[] = [];
  const world = new Harness(
    {
      nodes: [
        { id: 't', kind: 'try' },
        { id: 'a', parent: 't' },
        { id: 'other', parent: 't', kind: task },
        { id: 'c', parent: 't', role: 'catch' },
        { id: 'f', parent: 't', role: 'finally' },
        { id: 'after' },
      ],
      edges: [{ from: 't', to: 'after' }],
    },
    {
      inline: (node, _, inputs) => {
        seen.push(`${node.id} ${JSON.stringify(inputs['in'])}`);
        if (node.id === 'a') throw new Error('no');
        return { out: node.id };
      },
    },
  );
  world.start(1);
  assert.deepEqual(world.ended, { status: 'COMPLETED', output: { after: 'after' }, error: null, degraded: false });
  assert.equal(world.row('other', '0').cause, 'upstream-failed');
  const error = '{"class":"PERMANENT","code":"test.thrown","message":"no","node":"a"}';
  assert.deepEqual(seen, ['a 1', `c ${error}`, 'f 1', 'after "c"']);
});

test('a try without a catch fails when its finally has run; so does one that is cancelled', () => {
  const nodes = [
    { id: 't', kind: 'try' as const },
    { id: 'a', parent: 't', kind: task },
    { id: 'f', parent: 't', role: 'finally' as const, kind: task },
  ];
  const failing = new Harness({ nodes, edges: [] });
  failing.start();
  failing.failed('a', fault('PERMANENT', 'gone'), '0');
  assert.equal(failing.status('f', '2'), 'QUEUED');
  failing.done('f', null, '2');
  assert.deepEqual(failing.ended.error, 'gone');

  const cancelled = new Harness({ nodes, edges: [] });
  cancelled.start();
  cancelled.grant('a', '0');
  cancelled.send({ type: 'cancel', reason: '', node: null });
  cancelled.failed('a', fault('TRANSIENT'), '0');
  assert.equal(cancelled.status('f', '2'), 'QUEUED');
  cancelled.done('f', null, '2');
  assert.equal(cancelled.ended.status, 'CANCELLED');
});

test('a child is started by an id of its own, cancelled with its parent, and answers once', () => {
  const spec = {
    nodes: [
      {
        id: 'c',
        kind: 'child' as const,
        config: { workflow: 'sub', version: '2.0.0' },
        retry: { maxAttempts: 2, on: ['USER' as const] },
      },
    ],
    edges: [],
  };
  const world = new Harness(spec);
  world.start({ a: 1 });
  const [send] = world.effects;
  assert.ok(send?.effect === 'send' && send.command.type === 'start');
  assert.equal(send.execution, 'x/c');
  assert.equal(send.workflow, 'sub@2.0.0');
  assert.deepEqual(send.command.input, { a: 1 });
  const ended = (child: string, status: 'COMPLETED' | 'CANCELLED') =>
    world.send({ type: 'child-ended', child, node: 0, iteration: '', status, output: 5, error: null });
  ended('x/c', 'CANCELLED');
  world.fire();
  assert.equal(world.row('c').wait?.token, 'x/c#2');
  assert.equal(ended('x/c', 'COMPLETED').record, undefined);
  ended('x/c#2', 'COMPLETED');
  assert.deepEqual(world.ended.output, { c: 5 });

  const parent = new Harness(spec);
  parent.start();
  parent.send({ type: 'cancel', reason: 'so', node: null });
  assert.equal(parent.status('c'), 'RUNNING');
  assert.ok(parent.effects.some((effect) => effect.effect === 'send' && effect.command.type === 'cancel'));
  parent.send({
    type: 'child-ended',
    child: 'x/c',
    node: 0,
    iteration: '',
    status: 'CANCELLED',
    output: null,
    error: null,
  });
  assert.equal(parent.ended.status, 'CANCELLED');
});

test('an item that is too large is named, and so is one whose result is', () => {
  const large = 'x'.repeat(MAX_VALUE_BYTES);
  const over = (items: Json, onItemFailure = 'omit'): Harness => {
    const world = new Harness({
      nodes: [
        { id: 'm', kind: 'map', config: { items, concurrency: 2, onItemFailure } },
        { id: 'a', parent: 'm' },
        { id: 'b', parent: 'm' },
      ],
      edges: [],
    });
    world.start();
    return world;
  };
  const told = (world: Harness) =>
    world.records.flatMap(({ events }) => events.flatMap((event) => ('error' in event ? [event.error] : [])))[0];
  const item = over([1, 2, large]);
  assert.equal(item.ended.error, 'workflow.value-too-large');
  assert.match(told(item)!.message, /^item 2 of m has \d+ bytes, more than 262144/);
  const many = over(Array.from({ length: 5 }, () => large.slice(4)));
  assert.match(told(many)!.message, /^the 5 items of m have \d+ bytes, more than 1048576: .*op\.workflow/);
  // each of both gives less than a value may have, and both together more
  const half = large.slice(0, MAX_VALUE_BYTES / 2);
  const left = [1, 3].map((n) => ({ a: n, b: n }));
  assert.deepEqual(over([1, half, 3]).ended.output, { m: left });
  const failed = over([1, half, 3], 'fail');
  assert.equal(failed.ended.error, 'workflow.value-too-large');
  assert.match(told(failed)!.message, /^the result of item 1 of m has/);
});
