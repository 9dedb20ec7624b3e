import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { readHeaders } from '../../log/batch.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import type { WorkflowDocument } from '../document.ts';
import type { TaskFunction } from '../nodes/functions.ts';
import { opWorkflow } from '../nodes/op-workflow.ts';
import { documentOf } from '../segments/jobs.fixture.ts';
import { SEGMENT_DEAD_LETTERS } from '../segments/run-segment.ts';
import { fanOut, memory, ONE, open, started, sumTo, until } from './records.fixture.ts';

const TIMEOUT = { timeout: 240_000 };
const COUNT = 2000;

test('the example of op.workflow gives what it says', TIMEOUT, async () => {
  const workflows = await open(memory());
  const { document, others = [], input, output } = opWorkflow.example;
  for (const other of others) await workflows.publish(other);
  await workflows.publish({ ...(document as unknown as WorkflowDocument), mode: 'batch' });
  const { execution } = await workflows.start('example', input);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', output], JSON.stringify(view.error));
  await workflows.drain();
});

test('of a fan-out over 2,000 records so many are open as may be, each runs once, and the parent does not grow', {
  timeout: 240_000,
}, async () => {
  const log = memory();
  const workflows = await open(log, async (n) => {
    await systemClock.turn();
    return n;
  });
  await workflows.publish(ONE);
  const lengths: number[] = [];
  for (const count of [10, COUNT]) {
    await workflows.publish({ ...fanOut({ count }), version: `${count}.0.0` });
    const { execution } = await workflows.start('fan', null);
    const view = await workflows.ended(execution);
    assert.equal(view.status, 'COMPLETED', JSON.stringify(view.error));
    assert.deepEqual(view.output, { all: { all: sumTo(count) } });
    const found = await started(log, execution);
    assert.deepEqual([found.ids.size, found.starts, found.open.size], [count, count, 0]);
    // two splits, and so two tasks
    assert.ok(found.most <= 16, `${found.most} at once`);
    assert.equal(view.nodes.find(({ id }) => id === 'each')!.status, 'COMPLETED');
    lengths.push((await workflows.history(execution)).length);
  }
  for (const length of lengths) assert.ok(length <= 12, `${lengths.join(', ')} steps`);
  await workflows.drain();
});

test('answers leave in the order that is asked for', TIMEOUT, async () => {
  const workflows = await open(memory(), async (n) => {
    await systemClock.sleep(((n as number) * 7) % 11);
    return n;
  });
  await workflows.publish(ONE);
  const document = fanOut({ count: 60, config: { order: 'partition' }, collects: true });
  const source = { ...document.nodes[0]!, data: { config: { count: 60, make: "{'n': index}" } } };
  await workflows.publish({ ...document, nodes: [source, ...document.nodes.slice(1)] });
  const { execution } = await workflows.start('fan', null);
  const { output } = await workflows.ended(execution);
  const { all } = output as { readonly all: Json };
  assert.deepEqual(
    all,
    Array.from({ length: 60 }, (_, n) => ({ n })),
  );
  await workflows.drain();
});

const fails = async (n: Json): Promise<Json> => {
  if ((n as number) % 10 === 3) throw new Error(`no ${n}`);
  return n;
};

test(
  'a record whose execution fails becomes a dead letter with the failure, and the others go on',
  TIMEOUT,
  async () => {
    const log = memory();
    const workflows = await open(log, fails);
    await workflows.publish(ONE);
    await workflows.publish(fanOut({ count: 40, policy: { onError: 'dead-letter' } }));
    const { execution } = await workflows.start('fan', null);
    const view = await workflows.ended(execution);
    assert.deepEqual([view.status, view.output], ['COMPLETED', { all: { all: sumTo(40) - 3 - 13 - 23 - 33 } }]);
    assert.equal(view.nodes.find(({ id }) => id === 'each')!.figures?.deadLetters, 4);
    const letters: string[] = [];
    await eachRecord(log, SEGMENT_DEAD_LETTERS, 0, (batch, i) => {
      const value = batch.bytes.toString('utf8', batch.valueStarts[i]!, batch.valueEnds[i]!);
      const list = readHeaders(batch.bytes, batch.headerStarts[i]!, batch.bodyEnds[i]!);
      const message = list.find(({ name }) => name === 'nf.message')!.value;
      letters.push(`${value} ${message}`.replace(/fan.*each~\d-\d+|\S+\/each~\d-\d+/, 'it'));
    });
    assert.deepEqual(
      letters.sort(),
      [13, 23, 33, 3].map((n) => `{"n":${n}} it failed: no ${n}`),
    );
    await workflows.drain();
  },
);

test('without that policy it fails the segment, and what is in flight is cancelled', TIMEOUT, async () => {
  const log = memory();
  const workflows = await open(log, async (n, { signal }) => {
    if (n === 13) throw new Error('no 13');
    if ((n as number) > 13) await systemClock.sleep(60_000, signal);
    return n;
  });
  await workflows.publish(ONE);
  await workflows.publish(fanOut({ count: 100 }));
  const { execution } = await workflows.start('fan', null);
  const view = await workflows.ended(execution);
  assert.equal(view.status, 'FAILED');
  assert.match(JSON.stringify(view.error), /each~\d-\d+ failed: no 13/);
  await until(async () => (await started(log, execution)).open.size === 0);
  await workflows.drain();
});

test('a cancel in the middle leaves nothing running', TIMEOUT, async () => {
  const log = memory();
  let running = 0;
  const sleeping: number[] = [];
  const clock: Clock = {
    ...systemClock,
    async sleep(ms, signal) {
      sleeping.push(ms);
      const elapsed = await systemClock.sleep(ms, signal);
      sleeping.splice(sleeping.indexOf(ms), 1);
      return elapsed;
    },
  };
  const work: TaskFunction = async (n, { signal }) => {
    if ((n as number) < 50) return n;
    running++;
    try {
      await systemClock.sleep(60_000, signal);
      return n;
    } finally {
      running--;
    }
  };
  const workflows = await open(log, work, clock);
  await workflows.publish(ONE);
  await workflows.publish(fanOut({ count: 10_000, policy: { onError: 'dead-letter' } }));
  const { execution } = await workflows.start('fan', null);
  await until(() => running >= 8);
  await workflows.cancel(execution);
  assert.equal((await workflows.ended(execution)).status, 'CANCELLED');
  assert.equal((await started(log, execution)).open.size, 0, 'the parent has ended before them');
  await until(() => running === 0);
  const { ids, statuses } = await started(log, execution);
  assert.ok([...statuses.values()].filter((status) => status === 'CANCELLED').length >= 8);
  await systemClock.sleep(100);
  const later = await started(log, execution);
  assert.deepEqual([later.ids.size, later.open.size], [ids.size, 0]);
  const letters = await log.admin.describe(SEGMENT_DEAD_LETTERS);
  const end = letters === undefined ? 0 : (await log.admin.bounds(SEGMENT_DEAD_LETTERS, 0)).end;
  assert.equal(end, 0, 'what is cancelled with its parent is no failure of a record');
  await workflows.drain();
  assert.deepEqual(sleeping, [], 'the process would be kept alive');
});

test('a pause reaches what is in flight, and nothing begins before it is over', TIMEOUT, async () => {
  const log = memory();
  let go = false;
  const workflows = await open(log, async (n) => {
    while (!go) await systemClock.sleep(2);
    return n;
  });
  await workflows.publish(ONE);
  await workflows.publish(fanOut({ count: 60, config: { concurrency: 4 } }));
  const { execution } = await workflows.start('fan', null);
  await until(async () => (await started(log, execution)).open.size === 8);
  await workflows.pause(execution);
  const { ids } = await started(log, execution);
  for (const id of ids) await until(async () => (await workflows.execution(id))!.phase === 'paused');
  go = true;
  await systemClock.sleep(200);
  assert.equal((await started(log, execution)).ids.size, 8);
  await workflows.resume(execution);
  const view = await workflows.ended(execution);
  assert.deepEqual(view.output, { all: { all: sumTo(60) } });
  await workflows.drain();
});

test('an execution that takes too long fails its record', TIMEOUT, async () => {
  const log = memory();
  const workflows = await open(log, async (n, { signal }) => {
    if (n === 5) await systemClock.sleep(60_000, signal);
    return n;
  });
  await workflows.publish(ONE);
  await workflows.publish(fanOut({ count: 10, config: { timeout: '300ms' }, policy: { onError: 'dead-letter' } }));
  const { execution } = await workflows.start('fan', null);
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { all: { all: sumTo(10) - 5 } }]);
  await until(async () => (await started(log, execution)).open.size === 0);
  await workflows.drain();
});

test('stopped and opened again, in the middle, each record has had one execution', TIMEOUT, async () => {
  const log = memory();
  const calls = new Map<number, number>();
  let workflows = await open(log);
  await workflows.publish(ONE);
  await workflows.publish(fanOut({ count: 400 }));
  const { execution } = await workflows.start('fan', null);
  await workflows.drain();
  for (let life = 0; ; life++) {
    const most = 60 * (life + 1);
    workflows = await open(log, async (n) => {
      calls.set(n as number, (calls.get(n as number) ?? 0) + 1);
      await systemClock.turn();
      return n;
    });
    const ended = workflows.ended(execution).catch(() => undefined);
    await until(async () => calls.size >= Math.min(400, most));
    if (calls.size >= 400) {
      assert.deepEqual((await ended)!.output, { all: { all: sumTo(400) } });
      break;
    }
    await workflows.drain();
  }
  const found = await started(log, execution);
  assert.deepEqual([found.ids.size, found.starts, found.open.size], [400, 400, 0]);
  await workflows.drain();
});

test('begun again by hand it starts others', TIMEOUT, async () => {
  const log = memory();
  let failing = true;
  const workflows = await open(log, async (n) => {
    if (failing && n === 7) throw new Error('not now');
    return n;
  });
  await workflows.publish(ONE);
  const document = fanOut({ count: 20 });
  const held = { ...document.nodes[0]!, data: { ...document.nodes[0]!.data, policy: { onError: 'hold' as const } } };
  await workflows.publish({ ...document, nodes: [held, ...document.nodes.slice(1)] });
  const { execution } = await workflows.start('fan', null);
  await until(async () => {
    const view = await workflows.execution(execution);
    return view!.nodes[0]!.wait?.on === 'intervention';
  });
  failing = false;
  await workflows.intervene(execution, 'numbers', { action: 'retry' });
  const view = await workflows.ended(execution);
  assert.deepEqual([view.status, view.output], ['COMPLETED', { all: { all: sumTo(20) } }], JSON.stringify(view.error));
  const { ids } = await started(log, execution);
  assert.equal([...ids].filter((id) => /~[0-9a-f]{16}-\d-\d+$/.test(id)).length, 20);
  await workflows.drain();
});

test('what is started has to be published, and to have an end', TIMEOUT, async () => {
  const workflows = await open(memory());
  const named = (config: Record<string, Json>) => {
    return documentOf(
      [
        ['items', 'map.items'],
        ['each', 'op.workflow', config],
        ['all', 'collect'],
      ],
      ['items > each', 'each > all'],
    );
  };
  await assert.rejects(workflows.publish(named({ workflow: 'won' })), {
    code: 'workflow.invalid',
    message: /\/nodes\/1\/data\/config\/workflow workflow\.unknown-definition: each starts won, which is not published/,
  });
  await workflows.publish(ONE);
  await assert.rejects(workflows.publish(named({ workflow: 'won' })), { message: /did you mean one\?/ });
  await assert.rejects(workflows.publish(named({ workflow: 'one', version: '3.0.0' })), { message: /one@3\.0\.0/ });
  await workflows.publish({ ...ONE, id: 'endless', mode: 'streaming' });
  await assert.rejects(workflows.publish(named({ workflow: 'endless' })), { message: /until somebody ends it/ });
  const [fault] = workflows.validate(named({ workflow: 'one', order: 'size' }));
  assert.equal(fault!.pointer, '/nodes/1/data/config/order');
  const value = documentOf(
    [
      ['value', 'expression', { value: '= input' }],
      ['each', 'op.workflow', { workflow: 'one' }],
    ],
    ['value > each'],
  );
  assert.ok(workflows.validate(value).some(({ code }) => code === 'workflow.port-kind'));
  await workflows.drain();
});
