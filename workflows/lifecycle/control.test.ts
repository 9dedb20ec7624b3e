import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fault, Harness } from './testing/harness.ts';

const task = 'task' as const;
const to = (...pairs: string[]) => pairs.map((pair) => ({ from: pair.split('>')[0]!, to: pair.split('>')[1]! }));
const three = { nodes: ['a', 'b', 'c'].map((id) => ({ id, kind: task })), edges: to('a>b', 'b>c') };

test('a pause lets end what runs, and begins nothing; timers that were due fire after it', () => {
  const world = new Harness({
    nodes: [...three.nodes, { id: 'd', kind: 'delay', config: { for: '1s' } }],
    edges: three.edges,
  });
  world.start();
  world.grant('a');
  world.send({ type: 'pause' });
  world.done('a', 1);
  assert.equal(world.states, 'a:COMPLETED b:PENDING c:PENDING d:RUNNING');
  world.at += 5000;
  world.fire();
  assert.equal(world.status('d'), 'RUNNING');
  assert.match(world.lifecycle.explain(world.rows, world.graph, 'b', '', world.at).text, /paused/);
  const { effects } = world.send({ type: 'resume' });
  assert.equal(world.status('b'), 'QUEUED');
  assert.ok(effects.some(({ effect }) => effect === 'set-timer'));
  world.fire();
  world.done('b', 2);
  world.done('c', 3);
  assert.deepEqual(world.ended.output, { c: 3, d: null });
});

for (const end of ['a failure', 'a cancel'] as const) {
  test(`what a pause held back of the end of an execution goes on when ${end} ends the pause`, () => {
    const within = (id: string) => ({ id, parent: 't', role: 'finally' as const });
    const world = new Harness({
      nodes: [
        { id: 't', kind: 'try' },
        { id: 'b', parent: 't', kind: task },
        { ...within('again'), kind: task, retry: { maxAttempts: 2 } },
        { ...within('queued'), kind: task },
        { ...within('inner'), kind: 'child', config: { workflow: 'sub' } },
        { id: 'x', kind: task },
        { id: 'y', kind: 'child', config: { workflow: 'sub' } },
      ],
      edges: [],
    });
    world.start();
    world.grant('x');
    world.done('b', null, '0');
    world.failed('again', fault('TRANSIENT'), '2');
    world.send({ type: 'pause' });
    world.grant('queued', '2');
    assert.equal(world.status('queued', '2'), 'QUEUED');
    world.at += 1_000_000;
    world.fire();
    const { effects } =
      end === 'a cancel'
        ? world.send({ type: 'cancel', reason: '', node: null })
        : world.failed('x', fault('PERMANENT', 'gone'));
    const asked = effects.flatMap((effect) => {
      if (effect.effect === 'send') return [`${effect.command.type} ${effect.execution}`];
      if (effect.effect === 'set-timer' && effect.timer === 'grace') return [];
      return effect.effect === 'queue' || effect.effect === 'set-timer'
        ? [`${effect.effect} ${world.graph.nodes[effect.node]?.id}`]
        : [];
    });
    assert.deepEqual(asked, ['cancel x/y', 'resume x/inner@2', 'set-timer again', 'queue queued']);
    world.fire();
    world.done('again', null, '2');
    world.done('queued', null, '2');
    for (const [id, iteration, child] of [
      ['inner', '2', 'x/inner@2'],
      ['y', '', 'x/y'],
    ] as const) {
      const node = world.graph.number(id)!;
      world.send({ type: 'child-ended', child, node, iteration, status: 'CANCELLED', output: null, error: null });
    }
    if (end === 'a cancel') world.failed('x', fault('PERMANENT'));
    assert.equal(world.ended.status, end === 'a cancel' ? 'CANCELLED' : 'FAILED');
  });
}

test('commands that come twice are done once', () => {
  const world = new Harness({
    nodes: [
      { id: 's', kind: 'signal', config: { name: 'go' } },
      { id: 'w', kind: 'signal', config: { name: 'go' } },
    ],
    edges: to('s>w'),
  });
  world.start();
  const go = { type: 'signal', name: 'go', id: '1', payload: 5 } as const;
  world.send(go, 'k');
  assert.equal(world.send(go, 'k').record, undefined);
  assert.equal(world.send(go, 'other').record, undefined);
  assert.equal(world.states, 's:COMPLETED w:RUNNING');
  world.send({ ...go, id: '2', payload: 6 });
  assert.deepEqual(world.ended.output, { w: 6 });
});

test('a signal that is early is kept for who waits for it', () => {
  const world = new Harness({
    nodes: [
      { id: 'a', kind: task },
      { id: 's', kind: 'signal', config: { name: 'go' } },
    ],
    edges: to('a>s'),
  });
  world.start();
  world.send({ type: 'signal', name: 'go', id: '1', payload: 5 });
  world.send({ type: 'signal', name: 'stay', id: '1', payload: 6 });
  world.done('a');
  assert.deepEqual(world.ended.output, { s: 5 });
});

test('an approval is answered once, is escalated, and takes a port', () => {
  const world = new Harness({
    nodes: [
      { id: 'p', kind: 'approval', config: { title: '?', escalateAfter: '1h' } },
      { id: 'yes' },
      { id: 'no' },
      { id: 't', kind: task },
    ],
    edges: [
      { from: 'p', port: 'approved', to: 'yes' },
      { from: 'p', port: 'rejected', to: 'no' },
    ],
  });
  world.start();
  const token = world.row('p').wait!.token;
  world.fire();
  assert.deepEqual(world.records.at(-1)?.events.at(-1), {
    type: 'waiting',
    node: 0,
    iteration: '',
    on: 'approval',
    token,
    detail: { escalated: true },
  });
  const answer = (decision: 'approved' | 'rejected', which = token) =>
    world.send({ type: 'approve', token: which, decision, value: 'fine' });
  assert.equal(world.rejection(answer('approved', 'nonsense')), 'workflow.unknown-token');
  answer('rejected');
  assert.equal(world.states, 'p:COMPLETED yes:CANCELLED no:COMPLETED t:QUEUED');
  assert.equal(answer('rejected').record, undefined);
  assert.equal(world.rejection(answer('approved')), 'workflow.answered');
});

test('retry-from begins a node again, and all that follows from it', () => {
  const world = new Harness({
    nodes: [...three.nodes, { id: 'd', kind: task }],
    edges: [...three.edges, ...to('d>c')],
  });
  world.start();
  world.done('a', 1);
  world.done('b', 2);
  world.done('d', 4);
  world.grant('c');
  world.send({ type: 'retry-from', node: 'b' });
  assert.equal(world.states, 'a:COMPLETED b:QUEUED c:PENDING d:COMPLETED');
  assert.ok(world.effects.some((effect) => effect.effect === 'abort' && effect.node === 2));
  const late = world.report('c', { ok: true, outputs: { out: 0 } }, '', 1);
  assert.equal(world.rejection(late), 'workflow.stale');
  world.done('b', 20);
  world.grant('c');
  assert.deepEqual(
    world.effects.flatMap((each) => (each.effect === 'run' && each.node === 2 ? [each.inputs] : [])).at(-1),
    { in: { b: 20, d: 4 } },
  );
  world.done('c', 30);
  assert.deepEqual(world.ended.output, { c: 30 });
});

test('S5.2.c: partial execution runs a selection, with pins', () => {
  const spec = { nodes: 'abcde'.split('').map((id) => ({ id })), edges: to('a>b', 'b>c', 'c>d', 'a>e') };
  const select = (
    nodes: string[],
    closure: 'ancestors' | 'descendants' | 'none',
    pins: { [node: string]: string } | null = null,
  ) => {
    const world = new Harness(spec, { inline: (node, _, inputs) => ({ out: `${inputs['in'] ?? ''}${node.id}` }) });
    world.start('>', { select: { nodes, closure }, pins });
    const ran = world.records
      .flatMap(({ events }) => events)
      .flatMap((e) => (e.type === 'node' && e.cause === 'inline' ? ['abcde'[e.node]] : []));
    return [ran.join(''), world.rows.output('2', 'out') ?? null];
  };
  assert.deepEqual(select(['c'], 'ancestors'), ['abc', '>abc']);
  assert.deepEqual(select(['c'], 'ancestors', { b: 'B' }), ['c', 'Bc']);
  assert.deepEqual(select(['c'], 'descendants', { b: 'B' }), ['cd', 'Bc']);
  assert.deepEqual(select(['c'], 'none'), ['c', 'c']);
  const world = new Harness(spec);
  assert.equal(
    world.rejection(world.start(1, { select: { nodes: ['nobody'], closure: 'none' } })),
    'workflow.unknown-node',
  );
  assert.equal(world.rows.header(), undefined);
});

test('S1.1.d: a graph changes while it runs, where nothing has begun; of two patches one wins', () => {
  const world = new Harness(three);
  world.start();
  world.done('a', 1);
  const patch = (ops: unknown[], baseRevision = 0) => world.send({ type: 'patch', baseRevision, ops: ops as never });
  assert.equal(world.rejection(patch([{ op: 'remove-node', id: 'a' }])), 'workflow.node-started');
  assert.equal(
    world.rejection(patch([{ op: 'add-edge', edge: { from: 'a', to: 'b', toPort: 'more' } }])),
    'workflow.node-started',
  );
  for (const op of [{ op: 'set-on-fire' }, { op: 'constructor' }, {}, 5, null]) {
    assert.equal(world.rejection(patch([op])), 'workflow.patch-invalid');
  }
  patch([
    { op: 'add-node', node: { id: 'd', kind: 'inline' } },
    { op: 'add-edge', edge: { from: 'a', to: 'd' } },
    { op: 'remove-node', id: 'c' },
    { op: 'add-node', node: { id: 'e', kind: 'inline' } },
    { op: 'add-edge', edge: { from: 'b', to: 'e' } },
  ]);
  assert.equal(world.rows.header()?.revision, 1);
  assert.equal(world.states, 'a:COMPLETED b:QUEUED d:COMPLETED e:PENDING');
  assert.equal(world.row('c').cause, 'removed-by-patch');
  assert.equal(world.rejection(patch([{ op: 'remove-node', id: 'e' }])), 'workflow.patch-conflict');
  world.done('b', 2);
  assert.deepEqual(world.ended.output, { d: 1, e: 2 });
});

test('explain says of what is held that it waits for somebody, and of what lies behind it too', () => {
  const world = new Harness({
    nodes: [
      { id: 'pay', kind: task, onError: 'hold', retry: { maxAttempts: 2, jitter: 'none' } },
      { id: 'ship', kind: task },
    ],
    edges: to('pay>ship'),
  });
  world.start();
  for (let attempt = 1; attempt <= 2; attempt++) {
    if (attempt > 1) world.fire();
    world.grant('pay');
    world.failed('pay', { class: 'TRANSIENT', code: 'busy', message: 'come again', instance: '/nodes/0' });
  }
  const say = (node: string) => world.lifecycle.explain(world.rows, world.graph, node, '', world.at).text;
  assert.match(say('pay'), /^pay does not run now \(after 2 failed attempts\): it waits for an intervention: /);
  assert.match(
    say('ship'),
    /^ship has not run: it waits for pay, which is PENDING for .* \(after 2 failed attempts\), waiting for an intervention$/,
  );
});

test('explain says in words what a node waits for', () => {
  const world = new Harness({
    nodes: [
      { id: 'pay', kind: task, retry: { maxAttempts: 5 } },
      { id: 'ask', kind: 'approval', config: { title: '?' } },
      { id: 'ship', kind: task },
    ],
    edges: to('pay>ship', 'ask>ship'),
  });
  world.start();
  world.grant('pay');
  const say = (node: string) => world.lifecycle.explain(world.rows, world.graph, node, '', world.at + 12_000).text;
  assert.equal(
    say('ship'),
    'ship has not run: it waits for pay, which is RUNNING for 12 s (attempt 1 of 5); and ask, which is RUNNING for 12 s (attempt 1 of 1), waiting for an approval',
  );
  assert.equal(say('ask'), 'ask is RUNNING (attempt 1 of 1): it waits for an approval');
  assert.equal(say('pay'), 'pay is RUNNING (attempt 1 of 5): it waits for its task, which runs for 12 s');
  assert.equal(say('nobody'), 'there is no node nobody in this workflow');
  world.done('pay');
  assert.equal(say('pay'), 'pay is COMPLETED (succeeded) for 12 s');
});

test('a cancel of one node skips what follows from it', () => {
  const world = new Harness(three);
  world.start();
  world.send({ type: 'cancel', reason: '', node: 'a' });
  assert.equal(world.states, 'a:CANCELLED b:CANCELLED c:CANCELLED');
  assert.equal(world.ended.status, 'COMPLETED');
});
