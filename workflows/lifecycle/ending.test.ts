import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect } from './lifecycle.ts';
import type { GraphSpec } from './testing/build-graph.ts';
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

const NEXT = { version: '2.0.0', nodes: ['a', 'b', 'c', 's'], segments: { a: null, b: null, c: null } };

test('a savepoint ends what is open, and keeps what segments have; what comes back late changes nothing', () => {
  const world = new Harness({ nodes: [...['a', 'b'].map(segment), { id: 't', kind: 'task' }], edges: to('a>b') });
  world.start(null, { mode: 'streaming' });
  world.grant('a');
  world.grant('t');
  const { effects } = world.send({ type: 'savepoint', next: null });
  assert.deepEqual(
    effects.flatMap((each) => ('node' in each && each.node >= 0 ? [`${each.effect} ${each.node}`] : [])),
    ['savepoint 0'],
  );
  assert.equal(world.states, 'a:RUNNING b:CANCELLED t:RUNNING');
  assert.equal(world.row('b').cause, 'savepoint');
  world.failed('a', fault('SYSTEM'));
  assert.equal(world.row('a').cause, 'savepoint');
  const late = { type: 'report' as const, node: 2, iteration: '', attempt: 1 };
  world.fire();
  assert.deepEqual(world.ended, { status: 'CANCELLED', output: null, error: null, degraded: false });
  assert.equal(world.rejection(world.send({ ...late, outcome: { ok: true, outputs: {} } })), 'workflow.ended');
});

test('what goes on from a savepoint starts in the step in which all has ended, with what had completed', () => {
  const world = new Harness({
    nodes: [
      { id: 's', kind: 'switch', config: { cases: [{ port: 'yes', when: false }] } },
      segment('a'),
      segment('b'),
      { id: 'c', kind: 'task' },
    ],
    edges: [{ from: 's', port: 'else', to: 'a' }, ...to('a>b')],
  });
  world.start({ n: 1 }, { mode: 'streaming', labels: { of: 'x' } });
  world.grant('a');
  world.grant('c');
  world.send({ type: 'savepoint', next: NEXT });
  world.done('c', 7);
  const { effects } = world.failed('a', fault('SYSTEM'));
  const [sent] = effects.flatMap((each) => (each.effect === 'send' ? [each] : []));
  assert.deepEqual([sent?.execution, sent?.workflow], ['x/~2', 'w@2.0.0']);
  const command = sent!.command;
  assert.ok(command.type === 'start');
  assert.deepEqual(command.outputs, { s: { else: { n: 1 } }, c: { out: 7 } });
  assert.deepEqual(command.continues, { execution: 'x', first: 'x', number: 2 });
  assert.deepEqual([command.labels, command.input, command.mode], [{ of: 'x' }, { n: 1 }, 'streaming']);

  const next = new Harness({
    nodes: [
      { id: 's', kind: 'switch', config: { cases: [{ port: 'yes', when: true }] } },
      segment('a'),
      { id: 'c', kind: 'task' },
    ],
    edges: [{ from: 's', port: 'else', to: 'a' }],
  });
  next.send(command);
  assert.equal(next.states, 's:COMPLETED a:QUEUED c:COMPLETED');
  next.grant('a');
  const [run] = next.effects.slice(-1);
  assert.ok(run?.effect === 'run' && run.first === 'x');
});

test('a savepoint that comes twice is one; a cancel does not stop what goes on from there', () => {
  const world = streaming();
  world.grant('a');
  world.send({ type: 'savepoint', next: NEXT });
  assert.equal(world.send({ type: 'savepoint', next: NEXT }).record, undefined);
  const others = [
    { type: 'savepoint', next: null },
    { type: 'cancel', reason: '', node: null },
    { type: 'end' },
  ] as const;
  for (const other of others) {
    const { record } = world.send(other);
    const [rejected] = record?.events ?? [];
    assert.ok(rejected?.type === 'rejected');
    assert.deepEqual([rejected.code, /goes on as x\/~2/.test(rejected.why)], ['workflow.not-running', true]);
  }
});

test('a savepoint is refused where something could not be taken up, and then nothing has stopped', () => {
  const refused = (world: Harness, next: typeof NEXT | null = null) =>
    world.rejection(world.send({ type: 'savepoint', next }));
  const ending = streaming();
  ending.send({ type: 'end' });
  assert.equal(refused(ending), 'workflow.no-savepoint');
  const child = new Harness({ nodes: [{ id: 'c', kind: 'child', config: { workflow: 'sub' } }], edges: [] });
  child.start(null, { mode: 'streaming' });
  assert.equal(refused(child), 'workflow.no-savepoint');
  const cannot = child.send({ type: 'savepoint', next: null, children: { 'x/c': 'x/c is paused' } });
  assert.equal(child.rejection(cannot), 'workflow.no-savepoint');
  const within = new Harness({
    nodes: [
      { id: 't', kind: 'try' },
      { ...segment('a'), parent: 't' },
    ],
    edges: [],
  });
  within.start(null, { mode: 'streaming' });
  assert.equal(refused(within), 'workflow.no-savepoint');
  const inherited = streaming();
  inherited.rows.putHeader({ ...inherited.rows.header()!, parent: { execution: 'p', node: 0, iteration: '' } });
  assert.equal(
    inherited.lifecycle.decide(
      inherited.rows,
      inherited.graph,
      'x',
      { type: 'savepoint', next: null },
      {
        ...{ id: 'k', by: null, at: 1, cause: { kind: 'continue' } },
      },
    ).record?.events[0]?.type,
    'rejected',
  );
  const world = streaming();
  world.grant('a');
  assert.equal(refused(world, { ...NEXT, segments: { a: 'store x', b: null } as never }), 'workflow.not-upgradable');
  assert.equal(refused(world, { ...NEXT, segments: { a: null } as never }), 'workflow.not-upgradable');
  const anew = streaming();
  anew.grant('a');
  anew.send({ type: 'retry-from', node: 'a' });
  assert.equal(refused(anew), 'workflow.no-savepoint');
  anew.grant('a');
  assert.equal(refused(anew), undefined);
  const part = new Harness({ nodes: [segment('a'), segment('b')], edges: [] });
  part.start(null, { mode: 'streaming', select: { nodes: ['a'], closure: 'none' } });
  assert.equal(refused(part, NEXT), 'workflow.not-upgradable');
  const batch = new Harness({ nodes: [segment('a')], edges: [] });
  batch.start(null, { mode: 'batch' });
  assert.equal(refused(batch), 'workflow.not-streaming');
});

test('a savepoint takes along what nodes have started, which go on as they were', () => {
  const nodes: GraphSpec['nodes'] = [
    { id: 'c', kind: 'child', config: { workflow: 'sub' } },
    { id: 'w', kind: 'signal', config: { name: 'go' } },
  ];
  const world = new Harness({ nodes, edges: [] });
  world.start(null, { mode: 'streaming' });
  const next = { version: '2.0.0', nodes: ['c', 'w'], segments: { c: null } };
  const asked = { type: 'savepoint', next, graceMs: 100, children: { 'x/c': null } } as const;
  assert.equal(world.rejection(world.send({ ...asked, next: { ...next, segments: {} } })), 'workflow.not-upgradable');
  const { effects } = world.send(asked);
  const told = { type: 'savepoint', next: null, inherited: true, graceMs: 100 };
  assert.deepEqual(
    effects.filter(({ effect }) => effect === 'send'),
    [{ effect: 'send', execution: 'x/c', workflow: null, command: told }],
  );
  // it is waited for, for its own grace bounds that
  world.fire();
  assert.equal(world.states, 'c:RUNNING w:CANCELLED');
  const kept = { execution: 'x/c', first: 'x/c', number: 2 };
  const outcome = { status: 'CANCELLED', output: null, error: null } as const;
  const ended = world.send({ type: 'child-ended', child: 'x/c', node: 0, iteration: '', ...outcome, kept });
  const [start] = ended.effects.flatMap((each) => (each.effect === 'send' ? [each.command] : []));
  assert.ok(start?.type === 'start');
  assert.deepEqual(start.continues, { execution: 'x', first: 'x', number: 2, children: { c: kept } });

  const again = new Harness({ nodes, edges: [] });
  const began = again.send(start);
  const parent = { execution: 'x', node: 0, iteration: '' };
  assert.deepEqual(
    began.effects.filter(({ effect }) => effect === 'take-up'),
    [{ effect: 'take-up', from: kept, execution: 'x/c/~2', parent, session: null }],
  );
  again.send({ type: 'retry-from', node: 'c' });
  assert.equal(
    again.effects.some((each) => each.effect === 'send' && each.execution === 'x/c#2'),
    true,
  );
});

test('what was kept is not taken up by a node that is begun again by hand before it has begun', () => {
  const world = new Harness({
    nodes: [
      { id: 'w', kind: 'signal', config: { name: 'go' } },
      { id: 'c', kind: 'child', config: { workflow: 'sub' } },
    ],
    edges: to('w>c'),
  });
  const kept = { execution: 'y/c', first: 'y/c', number: 2 };
  const continues = { execution: 'y', first: 'y', number: 2, children: { c: kept } };
  world.start(null, { mode: 'streaming', continues });
  world.send({ type: 'intervene', node: 'c', iteration: '', action: 'skip', value: null });
  world.send({ type: 'retry-from', node: 'c' });
  const { effects } = world.send({ type: 'signal', name: 'go', id: 's', payload: 1 });
  assert.deepEqual(asked(world, effects), ['start x/c']);
});
