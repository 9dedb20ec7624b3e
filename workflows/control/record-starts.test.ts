import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import type { RecordStart } from '../segments/segments.ts';
import type { Definition } from '../workflows.ts';
import type { Ended, Taken } from './answers.ts';
import type { CommandMessage } from './messages.ts';
import { RecordStarts } from './record-starts.ts';
import { ONE } from './records.fixture.ts';

const START: RecordStart = {
  ...{ node: 1, record: '0-7', workflow: 'one', version: undefined, input: 7, timeoutMs: 60_000 },
};

const ended = (status: Ended['status'], output: Json = null): Ended => {
  return { type: 'ended', status, degraded: false, output, error: null };
};

interface World {
  /** What is answered to the starts, one after the other; the last one again and again. */
  readonly answers: readonly (string | undefined | Error)[];
  readonly end?: Ended;
  readonly phase?: string;
  readonly document?: Definition['document'];
}

function world({ answers, end = ended('COMPLETED', { n: 7 }), phase = 'running', document = ONE }: World) {
  const clock = new VirtualClock();
  const sent: CommandMessage[] = [];
  const defined: unknown[] = [];
  const asked = { followed: 0, looked: 0 };
  const definition = { ...{ id: 'one', version: '1.0.0', hash: 'h', publishedAt: 0, publishedBy: null }, document };
  const starts = new RecordStarts({
    clock,
    catalogue: { find: (id) => (id === 'one' ? definition : undefined), refresh: async () => undefined },
    commands: {
      async send(message): Promise<Taken> {
        const answer = answers[Math.min(sent.length, answers.length - 1)];
        sent.push(message);
        if (answer instanceof Error) throw answer;
        return { seq: 1, rejected: answer === undefined ? undefined : { code: answer, why: 'for a reason' } };
      },
    },
    sender: {
      async sendToAll(_, message) {
        defined.push(message);
      },
    },
    ends: Promise.resolve({
      follow() {
        asked.followed++;
        return { ended: Promise.resolve(end), heed: () => undefined, stop: () => undefined };
      },
      async outcome() {
        asked.looked++;
        return end;
      },
    }),
    phase: async () => phase,
  });
  const call = new AbortController();
  const of = {
    execution: 'x',
    iteration: '',
    ids: () => 'x/each~',
    signal: new AbortController().signal,
    open: new Set<Promise<void>>(),
  };
  let state: 'open' | 'done' | 'failed' = 'open';
  const run = (start: Partial<RecordStart> = {}) => {
    const running = starts.run(of, { ...START, ...start }, call.signal);
    running.then(
      () => {
        state = 'done';
      },
      () => {
        state = 'failed';
      },
    );
    return running;
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      for (let i = 0; i < 5; i++) await clock.turn();
      clock.advance(100);
    }
    for (let i = 0; i < 5; i++) await clock.turn();
  };
  return { run, pass, sent, defined, asked, call, state: () => state };
}

test('what has begun is waited for, and nothing is looked at', async () => {
  const { run, sent, asked } = world({ answers: [undefined] });
  assert.deepEqual(await run(), { n: 7 });
  assert.deepEqual(asked, { followed: 1, looked: 0 });
  const [{ x, w, v, c }] = sent as [CommandMessage];
  assert.deepEqual([x, w, v], ['x/each~0-7', 'one', '1.0.0']);
  assert.ok(c.type === 'start' && c.forRecord === true);
  assert.deepEqual([c.parent, c.input, c.deadline], [{ execution: 'x', node: 1, iteration: '' }, 7, 60_000]);
});

test('a start without an answer is sent again, and meets what it has begun', async () => {
  const { run, pass, asked } = world({ answers: [new FlowError('workflow.unanswered', 'late'), 'workflow.exists'] });
  const running = run();
  await pass(200);
  assert.deepEqual(await running, { n: 7 });
  assert.equal(asked.looked, 1);
});

test('a partition that does not know the workflow is told of it', async () => {
  const { run, pass, defined } = world({ answers: ['workflow.unknown-definition', undefined] });
  const running = run();
  await pass(200);
  assert.deepEqual(await running, { n: 7 });
  assert.equal(defined.length, 1);
});

test('where its root has no room it waits, and fails when that lasts', async () => {
  const soon = world({ answers: ['workflow.too-many', 'workflow.too-many', undefined] });
  const running = soon.run();
  await soon.pass(1000);
  assert.deepEqual(await running, { n: 7 });
  const never = world({ answers: ['workflow.too-many'] });
  const failing = never.run();
  failing.catch(() => undefined);
  await never.pass(70_000);
  await assert.rejects(failing, { code: 'workflow.too-many', message: /^x\/each~0-7: for a reason/ });
});

test('where its parent ends, or has cancelled it, nothing becomes of the record', async () => {
  const cancelled = { answers: [undefined], end: ended('CANCELLED') } as const;
  for (const what of [{ answers: ['workflow.stale'] }, { answers: ['workflow.ended'] }, { ...cancelled, phase: '' }]) {
    const { run, pass, state, call } = world(what);
    const running = run();
    await pass(1000);
    assert.equal(state(), 'open');
    call.abort(new FlowError('task.lost', 'given up'));
    await assert.rejects(running, { code: 'task.lost' });
  }
  await assert.rejects(world(cancelled).run(), { code: 'workflow.child-cancelled' });
});

test('what cannot start fails its record at once, by name', async () => {
  const none = world({ answers: [undefined] });
  await assert.rejects(none.run({ workflow: 'two' }), { code: 'workflow.unknown-definition' });
  await assert.rejects(none.run({ input: 'x'.repeat(300_000) }), {
    code: 'workflow.value-too-large',
    message: /the input of x\/each~0-7 has/,
  });
  const inputs = { in: { kind: 'value', schema: { type: 'string' } } } as const;
  const typed = world({ answers: [undefined], document: { ...ONE, inputs } });
  await assert.rejects(typed.run(), { code: 'workflow.input', message: /the input of x\/each~0-7 does not fit/ });
  const deep = world({ answers: ['workflow.too-deep'] });
  await assert.rejects(deep.run(), { code: 'workflow.too-deep' });
  assert.deepEqual([none.sent.length, typed.sent.length], [0, 0]);
});
