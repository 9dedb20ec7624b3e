import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { Step } from '../core/step.ts';
import { openDatabase } from '../database/database.ts';
import {
  decodeStep,
  EVENTS_TOPIC,
  type EventFeed,
  encodeStep,
  type FeedCursor,
  openFeed,
  type PlacedStep,
  type StepEvent,
  type StepRecord,
  type TakeStep,
} from '../events/events.ts';
import { BatchBuilder } from '../log/batch.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { followFeed, openProjections, type Projections } from './projections.ts';

const names = () => ({
  workflow: 'orders',
  id: (node: number) => `n${node}`,
  type: () => 'expression',
  schema: () => null,
});

/** A feed of one partition over a list. */
class ListFeed {
  readonly steps: PlacedStep[] = [];
  readonly takers = new Set<TakeStep>();
  subscribed = 0;

  get feed(): EventFeed {
    const list = this;
    return {
      get cursor() {
        return [list.steps.length];
      },
      steps(_, from, take) {
        list.subscribed++;
        let open = true;
        let at = from?.[0] ?? 0;
        const hand: TakeStep = (step, cursor) => {
          at = step.position + 1;
          return take(step, cursor);
        };
        void (async () => {
          for (const step of list.steps.slice(at)) if (open) await hand(step, [step.position + 1]);
          if (open) list.takers.add(hand);
        })();
        return {
          get cursor() {
            return [at];
          },
          ended: Promise.resolve(),
          close: () => {
            open = false;
            list.takers.delete(hand);
          },
        };
      },
      ...{ knowsEnds: true, wake: () => undefined },
      events: () => assert.fail(),
      close: async () => undefined,
    };
  }

  add(execution: string, seq: number, events: readonly StepEvent[] = []): void {
    const position = this.steps.length;
    const record = {
      execution,
      seq,
      revision: 1,
      definition: 'h',
      at: position,
      cause: { kind: 'continue' } as const,
      events,
    };
    const step = { record, partition: 0, position };
    this.steps.push(step);
    for (const take of this.takers) void take(step, [position + 1]);
  }
}

const started = {
  ...{ type: 'started', workflow: 'orders', version: '1.0.0', input: null, mode: 'realtime', user: null, priority: 5 },
  ...{ deadline: null, labels: {}, idempotencyKey: null, parent: null, selected: null, pins: null, forkOf: null },
} as StepEvent;

test('rows follow what comes, and what was there before', async () => {
  const list = new ListFeed();
  for (let i = 0; i < 2500; i++) list.add(`e${i}`, 1, [started]);
  const projections = await openProjections(await openDatabase({ directory: undefined }));
  const following = followFeed({ feed: list.feed, projections, clock: systemClock });
  await following.caughtUp();
  list.add('late', 1, [started]);
  await following.caughtUp();
  assert.equal(following.lag, 0);
  assert.deepEqual(await projections.cursor(), [2501]);
  assert.equal((await projections.list({ limit: 1 })).rows[0]!.id, 'late');
  await following.close();
  await projections.close();
});

test('while the database fails nothing is held, and then it catches up', async () => {
  const list = new ListFeed();
  const inner = await openProjections(await openDatabase({ directory: undefined }));
  let isDown = true;
  const states: (string | undefined)[] = [];
  const projections: Projections = {
    ...inner,
    write: (...args) => (isDown ? Promise.reject(new Error('connection lost')) : inner.write(...args)),
    async cursor(): Promise<FeedCursor> {
      if (isDown) throw new Error('connection lost');
      return inner.cursor();
    },
  };
  const following = followFeed({
    feed: list.feed,
    projections,
    clock: systemClock,
    onState: (state) => void states.push(state),
  });
  for (let i = 0; i < 100; i++) list.add(`e${i}`, 1, [started]);
  while (states.length < 2) await systemClock.sleep(5);
  assert.equal(following.lag, 100);
  isDown = false;
  await following.caughtUp();
  assert.deepEqual(await inner.cursor(), [100]);
  assert.equal((await inner.list({ limit: 500 })).rows.length, 100);
  assert.deepEqual([...new Set(states)], ['connection lost', undefined]);
  await following.close();
  await inner.close();
});

async function commitSteps(log: Log, steps: readonly StepRecord[]): Promise<void> {
  const step = new Step();
  const builder = new BatchBuilder(step);
  step.begin();
  for (const record of steps) {
    const bytes = encodeStep(record);
    builder.append(0, bytes, 0, 0, bytes, 0, bytes.length);
  }
  step.settle();
  const producer = await log.producer({ transactionalId: 'engine' });
  producer.begin();
  await producer.append(EVENTS_TOPIC, 0, builder.finish());
  await producer.commit();
  await producer.close();
}

test('what lies between the steps in the log is no lag', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await log.admin.create(EVENTS_TOPIC, { partitions: 1 });
  const parts = { log, clock: systemClock, partitions: 1, decode: decodeStep, names };
  const record: StepRecord = {
    ...{ execution: 'a', seq: 1, revision: 1, definition: 'h', at: 1, cause: { kind: 'continue' } },
    ...{ knowsEnds: true, wake: () => undefined },
    events: [started],
  };
  const answer: StepRecord = { ...record, seq: 0, events: [{ type: 'rejected', code: 'x', why: 'y' }] };
  await commitSteps(log, [record, answer]);
  const feed = await openFeed(parts);
  const projections = await openProjections(await openDatabase({ directory: undefined }));
  const following = followFeed({ feed, projections, clock: systemClock });
  await following.caughtUp();
  await commitSteps(log, [{ ...record, seq: 2 }, answer]);
  while (feed.cursor[0] !== 6) await systemClock.sleep(2);
  await following.caughtUp();
  assert.equal(following.lag, 0);
  await following.close();
  await projections.close();
  await feed.close();
  await log.close();
});

test('closing writes what is in hand', async () => {
  const list = new ListFeed();
  const projections = await openProjections(await openDatabase({ directory: undefined }));
  const following = followFeed({ feed: list.feed, projections, clock: systemClock });
  while (list.takers.size === 0) await systemClock.sleep(5);
  list.add('a', 1, [started]);
  await following.close();
  assert.deepEqual(await projections.cursor(), [1]);
  await projections.close();
});
