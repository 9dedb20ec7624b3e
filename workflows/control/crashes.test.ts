import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import type { StepEvent } from '../../events/events.ts';
import type { NodeType } from '../catalog.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { checkEndCounts } from '../lifecycle/testing/check-log.ts';
import { ControlDriver } from './testing/control-driver.ts';
import { runWithCrashAt } from './testing/crash-at.ts';
import { ADD, added, document, numberType } from './testing/small-documents.ts';

type Clock = ControlDriver['clock'];

const lasting = (clock: Pick<Clock, 'sleep'>): readonly NodeType[] => [
  ADD,
  numberType('lasts', {
    kind: 'task',
    async run(config, inputs) {
      await clock.sleep(100);
      return added(config, inputs);
    },
  }),
];

const eventsOf = (driver: ControlDriver, execution: string): readonly StepEvent[] =>
  driver.of(execution).flatMap(({ events }) => events);

test('S1.2.b: of 10,000 tasks that are queued when the engine ends all are run behind it, and each once', async () => {
  const calls = new Map<string, number>();
  const counted = numberType('counted', {
    kind: 'task',
    async run(config, inputs, { execution }) {
      calls.set(execution, (calls.get(execution) ?? 0) + 1);
      return added(config, inputs);
    },
  });
  // the first one keeps the slot
  const holds = (clock: Pick<Clock, 'sleep'>) =>
    numberType('holds', { kind: 'task', run: async () => ({ out: await clock.sleep(1000) }) as { out: Json } });
  const driver = await ControlDriver.open({
    documents: [document('one', [['a', 'counted', { n: 1 }]], []), document('hold', [['a', 'holds', { n: 1 }]], [])],
    types: (clock) => [counted, holds(clock)],
    slots: 1,
  });
  driver.start('holder', 'hold');
  for (let i = 0; i < 10_000; i++) driver.start(`x${i}`, 'one', i);
  await driver.settle();
  driver.commit();
  assert.equal(calls.size, 0);
  assert.equal((driver.rows().get('\0Sdefault') as readonly Json[])[1], 10_000);
  await driver.crash();
  assert.equal((driver.rows().get('\0Sdefault') as readonly Json[])[1], 10_000);
  await driver.finish();
  const ends = driver.records.flatMap(({ execution, events }) =>
    events.flatMap((event) => (event.type === 'ended' ? [[execution, event.output] as const] : [])),
  );
  assert.equal(ends.length, 10_001);
  const outputs = new Map(ends);
  for (let i = 0; i < 10_000; i++) assert.deepEqual(outputs.get(`x${i}`), { a: i + 1 });
  assert.deepEqual([[...calls.keys()].length, new Set(calls.values())], [10_000, new Set([1])]);
});

test('S1.1.d: a patch is there behind a crash, with the same revision and the same graph', async () => {
  const nodes = ['a', 'b', 'c'].map((id) => [id, 'lasts', { n: 1 }] as const);
  const driver = await ControlDriver.open({ documents: [document('line', nodes, ['a b', 'b c'])], types: lasting });
  driver.start('x', 'line', 0);
  await driver.settle();
  const ops = [
    { op: 'remove-node', id: 'c' },
    { op: 'add-node', node: { id: 'd', type: 'lasts', data: { config: { n: 100 } } } },
    { op: 'add-edge', edge: { source: 'b', target: 'd' } },
  ] as const;
  // what is not committed when it crashes is judged again, and comes to the same
  driver.send('x', { type: 'patch', baseRevision: 0, ops: ops as never }, 'ann');
  const before = { hash: driver.graphOf('x').hash, revision: driver.view('x').revision };
  await driver.crash();
  driver.commit();
  const again = driver.graphOf('x');
  assert.deepEqual({ hash: again.hash, revision: again.revision }, before);
  assert.equal(before.revision, 1);
  assert.notEqual(before.hash, driver.graph('line').hash);
  await driver.crash();
  assert.deepEqual({ hash: driver.graphOf('x').hash, revision: driver.view('x').revision }, before);
  await driver.finish();
  assert.deepEqual(driver.ended('x').output, { d: 102 });
  assert.equal(eventsOf(driver, 'x').filter(({ type }) => type === 'patched').length, 1);
});

test('S2.2.d: a node is redriven once over crashes, and marked with the step that does it', async () => {
  let calls = 0;
  const types = (clock: Pick<Clock, 'sleep'>): readonly NodeType[] => [
    numberType('picky', {
      kind: 'task',
      async run(config, inputs) {
        calls++;
        await clock.sleep(100);
        if (calls === 1) throw new NodeFailure('PERMANENT', 'no', 'not yet');
        return added(config, inputs);
      },
    }),
  ];
  const policy = { a: { onError: 'dead-letter', retry: { maxAttempts: 1 } } };
  const nodes = [
    ['a', 'picky', { n: 1 }],
    ['s', 'wait.signal', { name: 'go' }],
  ] as const;
  const driver = await ControlDriver.open({ documents: [document('one', nodes, [], policy)], types });
  driver.start('x', 'one', 1);
  const letterOf = () => eventsOf(driver, 'x').find((event) => event.type === 'dead-letter');
  for (; letterOf() === undefined; driver.commit()) await driver.next();
  const letter = letterOf();
  assert.ok(letter?.type === 'dead-letter');
  const redrive = { type: 'redrive', deadLetter: letter.id, input: 41 } as const;
  for (let i = 0; i < 3; i++) {
    driver.send('x', redrive, i === 0 ? 'ann' : 'bob');
    // what was not committed is judged again, and marked again
    await driver.crash();
    driver.commit();
  }
  assert.deepEqual(driver.redriven, [[letter.id, 'ann']]);
  await driver.settle();
  driver.commit();
  driver.send('x', { type: 'signal', name: 'go', id: 's', payload: null });
  await driver.finish();
  assert.deepEqual(driver.ended('x').output, { a: 42, s: null });
  assert.equal(eventsOf(driver, 'x').filter(({ type }) => type === 'redriven').length, 1);
});

/** Its call of this number fails, and so needs the second attempt that its policy allows. */
const struck = (clock: Pick<Clock, 'sleep'>, calls: number[], failing: number): readonly NodeType[] => [
  numberType('struck', {
    kind: 'task',
    async run(config, inputs, { attempt }) {
      const number = calls.push(attempt);
      await clock.sleep(100);
      if (number === failing) throw new NodeFailure('TRANSIENT', 'busy', 'come again');
      return added(config, inputs);
    },
  }),
];

async function strike(driver: ControlDriver, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    while (driver.status('x', 'a') !== 'RUNNING') assert.ok(await driver.next());
    await driver.settle();
    driver.commit();
    await driver.settle();
    await driver.crash();
    await driver.settle();
    driver.commit();
    await driver.settle();
  }
}

const failuresOf = (driver: ControlDriver) =>
  eventsOf(driver, 'x').flatMap((each) => (each.type === 'attempt-failed' ? [each] : []));

test('S5.1.c: ten crashes of the process leave the attempts of a user whole', async () => {
  const calls: number[] = [];
  const policy = { a: { retry: { maxAttempts: 2, initial: '1s' }, quarantine: false } };
  const driver = await ControlDriver.open({
    documents: [document('one', [['a', 'struck', { n: 1 }]], [], policy)],
    types: (clock) => struck(clock, calls, 11),
  });
  driver.start('x', 'one', 1);
  await strike(driver, 10);
  await driver.finish();
  assert.deepEqual(driver.ended('x'), { status: 'COMPLETED', output: { a: 2 } });
  assert.equal(calls.length, 12);
  assert.deepEqual(
    failuresOf(driver).map(({ error, decision }) => `${error.class} ${error.code} ${decision}`),
    [...Array<string>(10).fill('SYSTEM workflow.process-lost retry'), 'TRANSIENT busy retry'],
  );
});

test('S5.1.c: a task that is called when its process ends five times in a row is held, with its attempts whole', async () => {
  const calls: number[] = [];
  const policy = { a: { retry: { maxAttempts: 2, initial: '1s' } } };
  const driver = await ControlDriver.open({
    documents: [document('one', [['a', 'struck', { n: 1 }]], [], policy)],
    types: (clock) => struck(clock, calls, 6),
  });
  driver.start('x', 'one', 1);
  await strike(driver, 5);
  while (await driver.next());
  assert.equal(calls.length, 5);
  const held = driver.view('x').nodes.find(({ id }) => id === 'a')!;
  assert.deepEqual([held.status, (held.error as { readonly code?: string }).code], ['PENDING', 'workflow.quarantined']);
  driver.send('x', { type: 'intervene', node: 'a', iteration: '', action: 'retry', value: 5 }, 'ann');
  assert.deepEqual(driver.view('x').nodes[0]!.outputs, {}, 'what was given by hand is no output');
  await driver.finish();
  assert.deepEqual(driver.ended('x'), { status: 'COMPLETED', output: { a: 6 } });
  assert.equal(failuresOf(driver).length, 6);
});

test('a partition that moves, and an engine that stops, are no end of a process', async () => {
  const calls: number[] = [];
  const driver = await ControlDriver.open({
    documents: [document('one', [['a', 'struck', { n: 1 }]], [])],
    types: (clock) => struck(clock, calls, 0),
  });
  driver.start('x', 'one', 1);
  await driver.settle();
  for (let i = 0; i < 4; i++) {
    driver.commit();
    await driver.move();
    await driver.settle();
    driver.commit();
    await driver.settle();
  }
  for (let i = 0; i < 4; i++) {
    driver.commit();
    await driver.stop();
    await driver.settle();
    driver.commit();
    await driver.settle();
  }
  await driver.finish();
  assert.deepEqual(driver.ended('x'), { status: 'COMPLETED', output: { a: 2 } });
  // each is the same attempt
  assert.deepEqual([calls, failuresOf(driver)], [Array<number>(9).fill(1), []]);
});

test('S5.2.d: what is held for a month, over crashes, goes on as somebody says, and who said it is told', async () => {
  const month = 30 * 86_400_000;
  const over = numberType('over', {
    kind: 'task',
    run: async () => Promise.reject(new NodeFailure('USER', 'quota', 'the quota is used up')),
  });
  const driver = await ControlDriver.open({
    documents: [
      document(
        'held',
        [
          ['a', 'over', { n: 1 }],
          ['b', 'add', { n: 10 }],
          ['w', 'delay', { for: '31d' }],
        ],
        ['a b'],
        {
          a: { onError: 'hold', retry: { maxAttempts: 1 } },
        },
      ),
    ],
    types: (clock) => [...lasting(clock), over],
  });
  driver.start('x', 'held', 1);
  const began = driver.clock.now();
  for (let day = 1; day <= 30; day++) {
    await driver.settle();
    driver.clock.advance(86_400_000);
    driver.commit();
    await driver.crash();
    assert.equal(driver.view('x').nodes.find(({ id }) => id === 'a')?.wait?.on, 'intervention');
  }
  const what = { type: 'intervene', node: 'a', iteration: '', action: 'output', value: 5 } as const;
  driver.send('x', what, 'ann');
  await driver.settle();
  assert.equal(driver.status('x', 'b'), 'COMPLETED');
  await driver.finish();
  assert.deepEqual(driver.ended('x').output, { b: 15, w: 1 });
  const told = driver.of('x').find(({ events }) => events[0]?.type === 'intervened')!;
  assert.deepEqual(told.events[0], {
    type: 'intervened',
    node: 0,
    iteration: '',
    action: 'output',
    value: 5,
    by: 'ann',
  });
  assert.ok(told.at >= began + month);
  assert.deepEqual(told.cause, { ...told.cause, kind: 'command', type: 'intervene', by: 'ann' });
});

const FAMILY = [
  document(
    'family',
    [
      ['a', 'lasts', { n: 1 }],
      ['w', 'delay', { for: '50ms' }],
      ['child', 'workflow', { workflow: 'inner', input: 1 }],
      ['b', 'lasts', { n: 5 }],
      ['end', 'add', { n: 0 }],
    ],
    ['a w', 'w child', 'a b', 'child end', 'b end'],
  ),
  document('inner', [['i', 'lasts', { n: 3 }]], []),
];

/** The history of the family, with a crash before the commit that stands at this place; `undefined`: none. */
async function withCrashAt(
  place: number | undefined,
): Promise<{ readonly commits: number; readonly driver: ControlDriver }> {
  const driver = await ControlDriver.open({ documents: FAMILY, types: lasting, slots: 1 });
  driver.start('x', 'family', 0);
  return { commits: await runWithCrashAt(driver, place), driver };
}

test('S9.3.a, S2.1.b4, S1.2.d: a crash at every boundary leaves all or nothing, and one end', async () => {
  const plain = await withCrashAt(undefined);
  const expected = plain.driver.ended('x');
  assert.deepEqual(expected.output, { end: 10 });
  for (let place = 0; place < plain.commits; place++) {
    const { driver } = await withCrashAt(place);
    assert.deepEqual(driver.ended('x'), expected, `crash at ${place}`);
    assert.deepEqual(driver.ended('x/child'), plain.driver.ended('x/child'), `crash at ${place}`);
    for (const execution of ['x', 'x/child']) {
      const records = driver.of(execution);
      assert.deepEqual(
        records.map(({ seq }) => seq),
        records.map((_, i) => i + 1),
      );
      checkEndCounts(records);
      const causes = records.flatMap(({ cause }) => (cause.kind === 'command' ? [cause.id] : []));
      assert.equal(new Set(causes).size, causes.length);
      // what is put out stands before what it makes ready
      const put = new Set<number>();
      const { nodes, edges } = driver.graph(execution === 'x' ? 'family' : 'inner');
      for (const { events } of records) {
        for (const event of events) {
          if (event.type === 'output') put.add(event.node);
          if (event.type !== 'node' || event.to !== 'RUNNING') continue;
          for (const edge of nodes[event.node]!.incoming) assert.ok(put.has(edges[edge]!.source));
        }
      }
    }
    assert.deepEqual(
      [...driver.rows().range('', '\uffff')].map(([key]) => key),
      ['\0C', '\0Sdefault'],
      `a crash at ${place} leaves rows behind`,
    );
  }
});
