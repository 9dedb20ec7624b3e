import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/clock.ts';
import { Step } from '../../core/step.ts';
import { EVENTS_TOPIC, encodeStep, type StepEvent, type StepRecord } from '../../events/events.ts';
import { BatchBuilder, BatchView } from '../../log/batch.ts';
import { Answers, toldOf } from './answers.ts';

function stepOf(id: string, seq: number): StepRecord {
  const cause = { kind: 'command', type: 'signal', id, by: null } as const;
  return { execution: 'x', seq, revision: 0, definition: '', at: 0, cause, events: [] };
}

/** A batch of these values, as the feed hands it over. */
function viewOf(values: readonly Buffer[]): BatchView {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  for (const value of values) builder.append(0, value, 0, 0, value, 0, value.length);
  step.settle();
  const bytes = builder.finish();
  const view = new BatchView();
  view.open(bytes, 0, bytes.length, { topic: EVENTS_TOPIC, partition: 0 });
  return view;
}

test('when step records cannot be read, all who wait for one are told so, and those who come later are answered', async () => {
  const answers = new Answers({ clock: new VirtualClock(), timeoutMs: 1000, wake: () => undefined });
  const told: unknown[] = [];
  const waiter = { take: () => assert.fail(), fail: (reason: unknown) => void told.push(reason) };
  answers.onEnd('x', waiter);
  const answer = answers.to('c');
  const why = new Error('the disk does not answer');
  answers.failed(why);
  await assert.rejects(answer, why);
  assert.deepEqual(told, [why]);
  const next = answers.to('d');
  answers.take(viewOf([encodeStep(stepOf('d', 3))]), 0);
  assert.deepEqual(await next, { seq: 3, rejected: undefined });
});

test('what is no step record is passed over', async () => {
  const answers = new Answers({ clock: new VirtualClock(), timeoutMs: 1000, wake: () => undefined });
  const answer = answers.to('c');
  answers.take(viewOf([Buffer.from([99, 1, 2]), Buffer.alloc(0), encodeStep(stepOf('c', 2))]), 0);
  assert.deepEqual(await answer, { seq: 2, rejected: undefined });
});

test('each who waits for too long is told so, at his time', async () => {
  const clock = new VirtualClock();
  const answers = new Answers({ clock, timeoutMs: 1000, wake: () => undefined });
  const told: string[] = [];
  const send = (id: string) => {
    answers.to(id).then(
      () => told.push(`${id} answered at ${clock.now()}`),
      ({ code }) => told.push(`${id} ${code} at ${clock.now()}`),
    );
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(100);
      await clock.turn();
    }
  };
  send('a');
  await pass(400);
  send('b');
  send('c');
  await pass(500);
  answers.take(viewOf([encodeStep(stepOf('c', 1))]), 0);
  await clock.turn();
  await pass(2000);
  send('d');
  await pass(900);
  send('e');
  answers.take(viewOf([encodeStep(stepOf('d', 1))]), 0);
  await clock.turn();
  await pass(2000);
  const unanswered = 'workflow.unanswered';
  const early = ['c answered at 900', `a ${unanswered} at 1000`, `b ${unanswered} at 1400`];
  assert.deepEqual(told, [...early, 'd answered at 3800', `e ${unanswered} at 4800`]);
  assert.equal(clock.nextTimer(), undefined);
});

test('what a coordinator tells answers who needs nothing else, with a copy of what his execution has put out', async () => {
  const answers = new Answers({ clock: new VirtualClock(), timeoutMs: 1000, wake: () => undefined });
  const answer = answers.to('c', false);
  const ends: unknown[] = [];
  answers.onEnd('x', { take: () => assert.fail(), told: (ended) => void ends.push(ended), fail: assert.fail });
  answers.onEnd('x', { take: ({ seq }) => void ends.push(seq), fail: assert.fail });
  const output = { total: [5] };
  const ended: StepEvent = { type: 'ended', status: 'COMPLETED', degraded: false, output, error: null };
  const told = toldOf('c', { ...stepOf('c', 1), events: [ended] });
  output.total[0] = 6;
  answers.told(told);
  assert.deepEqual(await answer, { seq: 1, rejected: undefined });
  assert.deepEqual(ends, [{ ...ended, output: { total: [5] } }]);
  const refused = answers.to('d', false);
  const events: StepEvent[] = [{ type: 'rejected', code: 'workflow.exists', why: 'it runs' }];
  answers.told(toldOf('d', { ...stepOf('d', 0), events }));
  assert.deepEqual(await refused, { seq: 0, rejected: { code: 'workflow.exists', why: 'it runs' } });
});

test('the feed is needed by whoever is heeded, until he is answered or gone', async () => {
  let woken = 0;
  const answers = new Answers({ clock: new VirtualClock(), timeoutMs: 1000, wake: () => void woken++ });
  const waiter = { take: () => undefined, fail: () => undefined };
  answers.onEnd('x', waiter);
  const direct = answers.to('direct', false);
  answers.heed('nobody');
  assert.deepEqual([answers.waits, woken], [false, 0]);
  answers.heed('direct');
  answers.heed('direct');
  assert.deepEqual([answers.waits, woken], [true, 1]);
  answers.told(toldOf('direct', stepOf('direct', 1)));
  await direct;
  assert.equal(answers.waits, false);
  const kept = answers.to('kept');
  assert.deepEqual([answers.waits, woken], [true, 2]);
  answers.take(viewOf([encodeStep(stepOf('kept', 1))]), 0);
  await kept;
  answers.heed(waiter);
  assert.deepEqual([answers.waits, woken], [true, 3]);
  answers.forget('x', waiter);
  assert.equal(answers.waits, false);
});

test('when nobody will answer any more, those who come later are told so too', async () => {
  const answers = new Answers({ clock: new VirtualClock(), timeoutMs: 1000, wake: () => undefined });
  const answer = answers.to('c');
  answers.close();
  await assert.rejects(answer, { code: 'stopped' });
  await assert.rejects(answers.to('d'), { code: 'stopped' });
  const told: unknown[] = [];
  answers.onEnd('x', { take: () => assert.fail(), fail: (reason) => void told.push(reason) });
  assert.equal(told.length, 1);
});
